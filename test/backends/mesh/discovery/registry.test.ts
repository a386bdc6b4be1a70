import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { entryFileName, serializeEntry } from '../../../../backends/mesh/discovery/registry-entry.ts'
import { registryDiscovery } from '../../../../backends/mesh/discovery/registry.ts'
import { encodeKey, type Discovery } from '../../../../core/index.ts'
import { all, announcementOf, soon, tcpContacts, until } from './announcement.ts'

let runtimeFolder: string
let services: string
let registry: Discovery

beforeEach(async () => {
  runtimeFolder = await mkdtemp(join(tmpdir(), 'beam-registry-'))
  services = join(runtimeFolder, 'services')
  registry = registryDiscovery({ runtimeFolder })
})
afterEach(async () => {
  await registry.close()
  await rm(runtimeFolder, { recursive: true, force: true })
})

/** A process of its own that announces one service; prints its key. */
function announceElsewhere(port: number, domain: string) {
  const main = fileURLToPath(new URL('registry-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', main, runtimeFolder, String(port), domain], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const key = new Promise<Buffer>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(Buffer.from(text.toString().trim(), 'hex'))),
  )
  return { child, key }
}

describe('the registry', () => {
  it('finds what this process announced, and no more once it is withdrawn', async () => {
    const announcement = announcementOf({ port: 40_123, domain: 'MyApp.local' })
    const states: string[] = []
    const announced = registry.announce(announcement, (state) => states.push(state))
    expect(announced.state).toBe('pending')
    await until(() => announced.state === 'announced')

    const found = await all(registry.find(announcement.serviceKey, soon()))
    expect(found).toEqual([{ source: 'registry', contacts: [{ kind: 'tcp', host: '127.0.0.1', port: 40_123 }] }])
    expect(await all(registry.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(await all(registry.claimants('myapp.LOCAL', soon()))).toEqual([Buffer.from(announcement.serviceKey)])
    expect(await all(registry.claimants('other.local', soon()))).toEqual([])

    await announced.stop()
    expect(await readdir(services)).toEqual([])
    expect(states).toEqual(['announced'])
  })

  it('is readable by its user only', async () => {
    const announced = registry.announce(announcementOf())
    await until(() => announced.state === 'announced')
    const [file = ''] = await readdir(services)
    expect((await stat(services)).mode & 0o777).toBe(0o700)
    expect((await stat(join(services, file))).mode & 0o777).toBe(0o600)
  })

  it('does no I/O before it is used, and finds nothing where nobody published', async () => {
    await expect(stat(services)).rejects.toThrow('ENOENT')
    expect(registry.status()).toEqual({ state: 'idle' })
    expect(await all(registry.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(registry.status()).toEqual({ state: 'ready' })
    await expect(stat(services)).rejects.toThrow('ENOENT')
  })

  it('finds services of another process, until that process was killed', async () => {
    const { child, key } = announceElsewhere(40_321, 'elsewhere.local')
    const serviceKey = await key
    expect(tcpContacts(await all(registry.find(serviceKey, soon())))).toEqual(['127.0.0.1:40321'])
    expect(await all(registry.claimants('elsewhere.local', soon()))).toEqual([serviceKey])

    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await readdir(services)).toHaveLength(1)
    // A search for another key clears the dead entry away too.
    expect(await all(registry.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(await readdir(services)).toEqual([])
    expect(await all(registry.find(serviceKey, soon()))).toEqual([])
  })

  it('leaves nothing behind in a process that ends orderly', async () => {
    const { child, key } = announceElsewhere(40_321, 'elsewhere.local')
    await key
    child.stdin.end()
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(await readdir(services)).toEqual([])
  })

  it('passes over damaged, foreign and half-written files', async () => {
    const announcement = announcementOf()
    const announced = registry.announce(announcement)
    await until(() => announced.state === 'announced')
    const key = encodeKey('service', announcement.serviceKey)
    const entry = { key, pid: process.pid, port: 1 }
    await writeFile(join(services, entryFileName(entry, 101)), 'no json')
    await writeFile(join(services, entryFileName(entry, 102)), serializeEntry(entry).padEnd(5_000))
    await writeFile(join(services, entryFileName(entry, 103)), serializeEntry({ ...entry, pid: 1 }))
    await writeFile(join(services, `${entryFileName(entry, 104)}.tmp`), serializeEntry(entry))
    await writeFile(join(services, 'README'), 'x')
    await mkdir(join(services, entryFileName(entry, 105)))
    expect(tcpContacts(await all(registry.find(announcement.serviceKey, soon())))).toEqual(['127.0.0.1:40000'])
  })

  it('ends when the signal fires', async () => {
    const announcement = announcementOf()
    const announced = registry.announce(announcement)
    await until(() => announced.state === 'announced')
    expect(await all(registry.find(announcement.serviceKey, { signal: AbortSignal.abort() }))).toEqual([])
  })

  it('says when the folder cannot be written, and gets over it', async () => {
    await writeFile(services, 'in the way')
    const onState = vi.fn()
    const announced = registry.announce(announcementOf(), onState)
    await until(() => announced.state === 'failed')
    expect(onState).toHaveBeenCalledWith('failed', expect.stringMatching(/cannot write .*services \((EEXIST|ENOTDIR)\)/))
    expect(registry.status().state).toBe('unreachable')
    await rm(services)
    await until(() => announced.state === 'announced')
    expect(registry.status()).toEqual({ state: 'ready' })
  })

  it('writes each entry whole: a reader never sees half of one', async () => {
    const announcement = announcementOf()
    const announced = Array.from({ length: 20 }, () => registry.announce(announcement))
    let seen = 0
    do {
      for (const contact of tcpContacts(await all(registry.find(announcement.serviceKey, soon())))) {
        expect(contact).toBe('127.0.0.1:40000')
        seen += 1
      }
    } while (announced.some(({ state }) => state === 'pending') || seen === 0)
    expect((await readdir(services)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    // However many entries one key has, a search gives a few.
    expect(await all(registry.find(announcement.serviceKey, soon()))).toHaveLength(8)
  })
})
