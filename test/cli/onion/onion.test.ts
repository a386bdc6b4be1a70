import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { authText, liveText, onionStatusText } from '../../../cli/output/onion-text.ts'
import { authOf, statusOf, type OnionStatus } from '../../../cli/onion/answers.ts'
import { newClientKeyPair } from '../../../cli/onion/client-key.ts'
import { ATOR, TOR } from '../../../cli/onion/networks.ts'
import { Home } from '../daemon/home.ts'
import { expectValid } from '../json-schema.ts'

const plain = pc.createColors(false)
const address = `http://${'a'.repeat(56)}.onion`
const running: OnionStatus = {
  state: 'running',
  mode: 'own',
  version: '0.4.9.11',
  pid: 42,
  socks: '127.0.0.1:9050',
  bootstrap: { percent: 100, tag: 'done', summary: 'Done' },
  circuitEstablished: true,
  liveness: 'up',
  uptimeSeconds: 7_300,
  guards: [
    { name: 'relay1', state: 'up' },
    { name: 'relay2', state: 'down' },
  ],
  circuitCount: 3,
  circuits: [{ id: '7', state: 'BUILT', purpose: 'GENERAL', relays: ['relay1', 'relay3'] }],
  services: [{ name: 'web', address, state: 'active', published: true, protected: true, clients: 2, ports: [80, 8080] }],
}
const text = (status: OnionStatus, circuits = false): string =>
  onionStatusText(TOR, status, { pid: 41, role: 'command' }, { columns: 80, paint: plain, circuits })

describe('the status of a daemon', () => {
  it('says all that it told', () => {
    const shown = text(running)
    expect(shown).toContain('● Tor 0.4.9.11\n')
    expect(shown).toContain('started by Beam (process 41), process 42, up 2 h')
    expect(shown).toContain('Bootstrap 100 %, Done')
    expect(shown).toContain('online, circuits can be built')
    expect(shown).toContain('1 of 2 reachable')
    expect(shown).toContain('3, 1 built (of 1 looked at)')
    expect(shown).toContain(`  ${address}  “web”\n`)
    expect(shown).toContain('reachable, published')
    expect(shown).toContain('80, 8080')
    expect(shown).toContain('the holders of 2 keys')
    expect(shown).not.toContain('relay1 → relay3')
    expect(text(running, true)).toContain('BUILT     GENERAL              relay1 → relay3\n')
  })

  it('says nothing of what it did not tell, and why it does not get on', () => {
    const shown = text({
      state: 'starting',
      message: 'the clock is wrong',
      bootstrap: { percent: 10, tag: 'conn_done', summary: 'Connected to a relay' },
    })
    expect(shown).toBe(
      '○ Tor\n\n  State     starting: the clock is wrong\n  Daemon    started by Beam (process 41)\n  Bootstrap 10 %, Connected to a relay (conn_done)\n',
    )
  })

  it('names a daemon that was there before', () => {
    const shown = onionStatusText(
      ATOR,
      { ...running, mode: 'attached', services: [] },
      { pid: 41, role: 'daemon' },
      { columns: 80, paint: plain, circuits: false },
    )
    expect(shown).toContain('● Anyone (ATOR) 0.4.9.11')
    expect(shown).toContain('used by the daemon of Beam (process 41), ran already')
  })

  it('is refused in a form that this version does not know', () => {
    expect(statusOf({ network: 'tor', ...running } as never)).toMatchObject(running)
    expect(() => statusOf({ network: 'tor', state: 7 })).toThrow(expect.objectContaining({ code: 'BEAM_ERR_CONTROL' }) as Error)
    expect(() => authOf({ service: 'web' })).toThrow(expect.objectContaining({ code: 'BEAM_ERR_CONTROL' }) as Error)
  })
})

describe('who may visit', () => {
  it('is told in a sentence and a list', () => {
    const clients = [{ client: 'alice', publicKey: 'k'.repeat(52) }]
    expect(authText({ service: 'web', protected: true, clients }, plain)).toBe(`web: only these visitors\n  ${'k'.repeat(52)}  alice\n`)
    expect(authText({ service: 'web', protected: true, clients: [] }, plain)).toContain('nobody can visit it')
    expect(authText({ service: 'web', protected: false, clients: [] }, plain)).toContain('everybody who has the address')
    expect([0, 1, 2].map(liveText).join(' ')).toMatch(/No tunnel .* The running tunnel .* 2 running tunnels/)
  })

  it('is known by a pair of x25519 keys in base32', () => {
    const { publicKey, privateKey } = newClientKeyPair()
    const raw = (key: string): Buffer => {
      const bits = Array.from(key, (char) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(char).toString(2).padStart(5, '0')).join('')
      return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
    }
    const key = createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw(privateKey)]),
      format: 'der',
      type: 'pkcs8',
    })
    expect(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).equals(raw(publicKey))).toBe(true)
    expect(newClientKeyPair().privateKey).not.toBe(privateKey)
  })
})

describe.each(['tor', 'ator'])('beam %s auth, while nothing runs', { timeout: 180_000 }, (network) => {
  it('works on the files, and shows a private key once', async () => {
    await using home = await Home.make()
    const added = await home.run(network, 'auth', 'add', 'web', 'alice', '--json')
    expect(added).toMatchObject({ code: 0, stderr: '' })
    const { privateKey, ...rest } = JSON.parse(added.stdout) as { privateKey: string; clients: { publicKey: string }[] }
    expectValid('onion', { privateKey, ...rest })
    expect(rest).toMatchObject({ network, service: 'web', protected: true, live: 0, clients: [{ client: 'alice' }] })
    // A key that the visitor made itself.
    const own = await home.run(network, 'auth', 'add', 'web', 'bob', '--public-key', newClientKeyPair().publicKey)
    expect(own.stdout).toBe('“bob” may visit “web” now. No tunnel of this name runs now; it holds when one is published.\n')
    const listed = JSON.parse((await home.run(network, 'auth', 'list', '--json')).stdout) as { services: { clients: unknown[] }[] }
    expectValid('onion', listed)
    expect(listed.services[0]?.clients).toHaveLength(2)
    const data = home.paths.data
    for (const file of (await readdir(data, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())) {
      const path = join(file.parentPath ?? file.path, file.name)
      expect(await readFile(path, 'utf8')).not.toContain(privateKey)
      expect((await stat(path)).mode & 0o077).toBe(0)
    }
    expect((await home.run(network, 'auth', 'remove', 'web', 'alice')).stdout).toContain('“alice” may visit “web” no longer.')
    expect((await home.run(network, 'auth', 'off', 'web')).stdout).toContain('Everybody who has the address may visit “web” now.')
    expect((await home.run(network, 'auth', 'list')).stdout).toContain('Every named tunnel is open.')
  })
})

describe('beam tor', { timeout: 120_000 }, () => {
  it('says what is missing or wrong', async () => {
    await using home = await Home.make()
    expect(await home.run('tor', 'status')).toMatchObject({ code: 1, stderr: expect.stringContaining('beam 3000 --backend tor') as string })
    expect(await home.run('tor', 'auth', 'add', 'WEB', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('BEAM_ERR_NAME_INVALID') as string,
    })
    expect(await home.run('tor', 'auth', 'add', 'web', 'x', '--public-key', 'zzz')).toMatchObject({ code: 2 })
    expect((await home.run('tor', 'auth')).stdout).toContain('Who may visit named tunnels over Tor.')
    expect((await home.run('tor', 'auth', 'ad')).stderr).toContain('Did you mean beam tor auth add?')
  })
})
