import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../config/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'
import { root, inner, load, failure, texts } from './load-stage.ts'

const asRoot = process.getuid?.() === 0

describe('the file that counts', () => {
  it("is the nearest one upwards, then the user's, then none", async () => {
    expect((await load()).file).toBeUndefined()
    await writeFile(join(root, 'user/beam.config.yaml'), 'p2p: { maxPeers: 1 }')
    expect((await load()).config.p2p.maxPeers).toBe(1)
    await writeFile(join(root, 'project/beam.config.yml'), 'p2p: { maxPeers: 2 }')
    expect((await load()).config.p2p.maxPeers).toBe(2)
    await writeFile(join(inner, 'beam.config.json'), '{ "p2p": { "maxPeers": 3 } }')
    expect(await load()).toMatchObject({ file: join(inner, 'beam.config.json'), folder: inner, config: { p2p: { maxPeers: 3 } } })
  })

  it('is not looked for above the last folder', async () => {
    await writeFile(join(root, 'beam.config.yaml'), 'p2p: { maxPeers: 1 }')
    expect((await load({ stopDir: join(root, 'project') })).file).toBeUndefined()
  })

  it('is the one that BEAM_CONFIG or the caller names', async () => {
    await writeFile(join(root, 'a.yaml'), 'p2p: { maxPeers: 1 }')
    await writeFile(join(root, 'b.yaml'), 'p2p: { maxPeers: 2 }')
    const env = { BEAM_CONFIG: join(root, 'a.yaml') }
    expect((await load({ env })).config.p2p.maxPeers).toBe(1)
    expect((await load({ env, file: '../../../b.yaml' })).config.p2p.maxPeers).toBe(2)
    expect((await failure({ file: 'none.yaml' })).message).toBe('none.yaml: there is no such file')
  })

  it('is told when another one lies beside it', async () => {
    await writeFile(join(inner, 'beam.config.yaml'), 'p2p: {}')
    await writeFile(join(inner, 'beam.config.json'), '{}')
    expect(texts((await load()).warnings)).toEqual(['beam.config.json: this file is not read, because beam.config.yaml is beside it'])
  })

  it('is read through a link, and not when it is a folder, a pipe, a ring of links or too large', async () => {
    const file = join(inner, 'beam.config.yaml')
    await writeFile(join(root, 'real.yaml'), 'p2p: { maxPeers: 4 }')
    await symlink(join(root, 'real.yaml'), file)
    expect((await load()).config.p2p.maxPeers).toBe(4)
    await rm(file)
    await symlink(file, file)
    expect((await failure()).message).toContain('beam.config.yaml: the file cannot be read: ELOOP')
    await rm(file)
    await mkdir(file)
    expect((await failure()).message).toBe('beam.config.yaml: this is a folder, not a file')
    await rm(file, { recursive: true })
    await writeFile(file, '#'.repeat(128 * 1024 + 1))
    expect((await failure()).message).toBe('beam.config.yaml: the file is too large: 131073 bytes; at most 131072 are read')
    await rm(file)
    if (process.platform === 'win32') return
    execFileSync('mkfifo', [file])
    expect((await failure()).message).toBe('beam.config.yaml: this is not a regular file')
  })

  it.runIf(process.platform !== 'win32')('must be readable', async () => {
    const file = join(inner, 'beam.config.yaml')
    await writeFile(file, 'p2p: {}')
    await chmod(file, 0)
    // Root may read everything.
    if (asRoot) expect((await load()).file).toBe(file)
    else expect((await failure()).message).toBe('beam.config.yaml: the file cannot be read: permission denied')
  })

  it.runIf(process.platform !== 'win32')("must be the user's own or root's when it was found by search", async () => {
    const file = join(root, 'project/beam.config.yaml')
    await writeFile(file, 'plugins: ["./evil"]')
    if (asRoot) await chown(file, 54321, 54321)
    const userId = asRoot ? 1000 : (process.getuid?.() ?? 0) + 1
    const error = await failure({ userId })
    expect(error.message).toBe(`${file}: this file belongs to another user and so is not read`)
    expect(error.hint).toContain('BEAM_CONFIG=')
    expect((await load({ userId, file })).file).toBe(file)
  })

  it('may be empty, with a warning', async () => {
    for (const text of ['', '\n', '# p2p: {}\n', '---\n', '\uFEFF']) {
      await writeFile(join(inner, 'beam.config.yaml'), text)
      const { config, warnings } = await load()
      expect(config.backends).toEqual([{ name: 'mesh', enabled: true, priority: 1, config: expect.objectContaining({ mdns: 'on' }) }])
      expect(texts(warnings)).toEqual(['beam.config.yaml: the file has no settings; the defaults hold'])
    }
  })
})

describe('the values', () => {
  it('are complete', async () => {
    const { config } = await resolveConfig({ tunnels: [{ name: 'web', port: 80 }] }, exampleCatalogue)
    expect(config).toEqual({
      backends: [
        {
          name: 'mesh',
          enabled: true,
          priority: 1,
          config: {
            relaying: 'enabled',
            caching: 'enabled',
            routing: 'quality',
            serve: ['bootstrap', 'rendezvous', 'relay'],
            announce: [],
            peers: [],
            mdns: 'on',
            portmap: 'on',
            listen: { host: '::', port: 0 },
            maxLinks: 50,
            participation: 'light',
          },
        },
      ],
      plugins: [],
      tunnels: [{ name: 'web', port: 80, host: 'localhost', strategy: 'priority', allowExposure: false }],
      p2p: { participation: 'light', maxPeers: 50, routing: 'enabled', caching: 'enabled' },
      routing: { strategy: 'quality' },
    })
  })

  it('pass from p2p to a backend that takes them, unless its block says otherwise', async () => {
    const mesh = async (p2p: object, config: object) =>
      (await resolveConfig({ backends: [{ name: 'mesh', config: { ...config } }], p2p }, exampleCatalogue)).config.backends[0]?.config
    expect(await mesh({ maxPeers: 7, bootstrap: ['a:1'] }, {})).toMatchObject({ maxLinks: 7, bootstrap: ['a:1'] })
    expect(await mesh({ maxPeers: 7, bootstrap: ['a:1'] }, { maxLinks: 9, bootstrap: [] })).toMatchObject({ maxLinks: 9, bootstrap: [] })
    expect(await mesh({}, {})).not.toHaveProperty('bootstrap')
    const error: unknown = await resolveConfig(
      { backends: [{ name: 'tin-can', config: { url: 'x' } }], p2p: { maxPeers: 900 } },
      exampleCatalogue,
    ).catch((reason: unknown) => reason)
    expect((error as Error).message).toBe('backends.tin-can.config.peers: 900 is not allowed; expected a whole number of at most 500')
  })

  it('of sections that are empty are the defaults', async () => {
    await writeFile(join(inner, 'beam.config.yaml'), 'p2p:\ntunnels:\n  # nothing yet\nbackends:\n  - name: mesh\n    config:\n')
    expect((await load()).config).toMatchObject({ tunnels: [], p2p: { maxPeers: 50 }, backends: [{ config: { mdns: 'on' } }] })
  })

  it('that are no data are refused', async () => {
    await expect(resolveConfig({ backends: [{ name: 'mesh', config: { mdns: () => 'on' } }] })).rejects.toMatchObject({ kind: 'config' })
    await expect(resolveConfig({ p2p: { maxPeers: 10n as unknown as number } })).rejects.toThrow('p2p.maxPeers: 10 is not allowed')
  })
})

describe('the environment', () => {
  it('overrides the file, and says which settings', async () => {
    await writeFile(
      join(inner, 'beam.config.yaml'),
      'backends: [{ name: mesh, config: { mdns: on, bootstrap: ["x:1"] } }]\np2p: { maxPeers: 4 }',
    )
    const env = { BEAM_P2P_BOOTSTRAP: '127.0.0.1:1, [::1]:2', BEAM_P2P_MDNS: 'off', BEAM_P2P_MAX_PEERS: '9', BEAM_P2P_PORTMAP: '' }
    const { config, overrides } = await load({ env })
    expect(config.p2p).toMatchObject({ maxPeers: 9, bootstrap: ['127.0.0.1:1', '[::1]:2'] })
    expect(config.backends[0]?.config).toMatchObject({ mdns: 'off', portmap: 'on', bootstrap: ['127.0.0.1:1', '[::1]:2'], maxLinks: 9 })
    expect(overrides).toEqual([
      { variable: 'BEAM_P2P_MAX_PEERS', path: 'p2p.maxPeers' },
      { variable: 'BEAM_P2P_BOOTSTRAP', path: 'p2p.bootstrap' },
      { variable: 'BEAM_P2P_BOOTSTRAP', path: 'backends.mesh.config.bootstrap' },
      { variable: 'BEAM_P2P_MDNS', path: 'backends.mesh.config.mdns' },
    ])
    expect((await load({ env: { BEAM_P2P_BOOTSTRAP: 'none' } })).config.p2p.bootstrap).toEqual([])
  })

  it('is checked like the file, and messages name the variable once', async () => {
    const env = { BEAM_P2P_BOOTSTRAP: 'here', BEAM_P2P_MDNS: 'maybe', BEAM_P2P_MAX_PEERS: 'many', BEAM_ROUTING_STRATEGY: 'qualty' }
    const { message, kind } = await failure({ env })
    expect(kind).toBe('config')
    expect(message.split('\n').toSorted()).toEqual([
      'BEAM_P2P_BOOTSTRAP: p2p.bootstrap[0]: "here" is not allowed; expected host:port',
      'BEAM_P2P_MAX_PEERS: p2p.maxPeers: "many" is not allowed; expected a whole number from 1 to 1000',
      'BEAM_P2P_MDNS: backends.mesh.config.mdns: "maybe" is not allowed; allowed: on, off, loopback',
      'BEAM_ROUTING_STRATEGY: routing.strategy: "qualty" is not allowed; did you mean "quality"? Allowed: quality, latency, bandwidth, geographic, random',
    ])
  })

  it('reaches the block of a plugin, and backends that are not declared', async () => {
    const { useBackend } = await load({ env: { BEAM_TIN_CAN_URL: 'http://x' } })
    expect((await useBackend('tin-can')).config).toEqual({ url: 'http://x', string: '10m', peers: 50 })
    await expect((await load({ env: {} })).useBackend('tin-can')).rejects.toThrow('backends.tin-can.config.url: missing; expected a text')
  })

  it('warns of a variable that is misspelt, and of no other one', async () => {
    const { warnings } = await load({ env: { BEAM_P2P_PROTMAP: 'off', BEAM_SOMETHING_ELSE: '1', BEAM_HOME: '/x', PATH: '' } })
    expect(texts(warnings)).toEqual(['BEAM_P2P_PROTMAP: no setting has this variable; did you mean BEAM_P2P_PORTMAP?'])
  })
})
