import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { registryDiscovery } from '../../../../backends/mesh/discovery/registry.ts'
import { encodeKey, generateIdentity, seedOf, type Announcement } from '../../../../core/index.ts'

function announcement(): Announcement {
  const service = generateIdentity()
  const withdrawal = (): { record: Uint8Array; sequence: number } => ({ record: new Uint8Array(), sequence: 2 })
  return {
    serviceKey: service.publicKey,
    seed: seedOf(service),
    record: new Uint8Array(),
    sequence: 1,
    port: 4000,
    onStream: () => {},
    withdrawal,
  }
}

it.skipIf(process.platform === 'win32')('neither writes to nor believes a folder that other users can change', async () => {
  for (const open of ['services', '.']) {
    const runtimeFolder = await mkdtemp(join(tmpdir(), 'beam-registry-'))
    const folder = join(runtimeFolder, 'services')
    await mkdir(folder, { mode: 0o700 })
    const service = announcement()
    const key = encodeKey('service', service.serviceKey)
    const entry = { version: 1, key, pid: process.pid, port: 4001 }
    await writeFile(join(folder, `${key}.${process.pid}.9.json`), JSON.stringify(entry))
    await chmod(join(runtimeFolder, open), 0o777)

    const registry = registryDiscovery({ runtimeFolder })
    const reason = new Promise<string>((resolve) => {
      registry.announce(service, (state, why) => resolve(`${state}: ${why}`))
    })
    expect(await reason).toBe(`failed: cannot write ${folder} (EPERM)`)
    for await (const found of registry.find(service.serviceKey, { signal: new AbortController().signal })) expect.fail(found.source)
    await registry.close()
    expect(await readdir(folder)).toHaveLength(1)
  }
})

it.skipIf(process.platform === 'win32')('follows no link that lies where it writes', async () => {
  const runtimeFolder = await mkdtemp(join(tmpdir(), 'beam-registry-'))
  const folder = join(runtimeFolder, 'services')
  await mkdir(folder, { mode: 0o700 })
  const precious = join(runtimeFolder, 'precious')
  await writeFile(precious, 'precious')
  const service = announcement()
  const key = encodeKey('service', service.serviceKey)
  for (let serial = 0; serial < 20; serial++) await symlink(precious, join(folder, `${key}.${process.pid}.${serial}.json.tmp`))
  const registry = registryDiscovery({ runtimeFolder })
  const state = await new Promise((resolve) => registry.announce(service, resolve))
  expect(state).toBe('announced')
  expect(await readFile(precious, 'utf8')).toBe('precious')
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  expect(files).toHaveLength(1)
  expect((await lstat(join(folder, files[0] as string))).isFile()).toBe(true)
  await registry.close()
})
