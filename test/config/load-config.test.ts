import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatProblem, InvalidConfigError, loadConfig, resolveConfig, type LoadOptions } from '../../config/index.ts'
import { parseSource } from '../../config/source.ts'
import { PluginError } from '../../core/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'

let root: string
let inner: string
const asRoot = process.getuid?.() === 0

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'beam-config-'))
  inner = join(root, 'project/src/deep')
  await mkdir(inner, { recursive: true })
  await mkdir(join(root, 'user'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const load = (options: LoadOptions = {}) =>
  loadConfig({ ...exampleCatalogue, cwd: inner, paths: { config: join(root, 'user') }, env: {}, stopDir: root, ...options })
const failure = async (options: LoadOptions = {}): Promise<InvalidConfigError> => {
  const error: unknown = await load(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(InvalidConfigError)
  return error as InvalidConfigError
}
const texts = (problems: readonly { path: string; message: string }[]): string[] => problems.map(formatProblem)

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

describe('backends', () => {
  it('of the sample with three networks are accepted, with a warning for each that is not installed', async () => {
    const file = join(import.meta.dirname, '../fixtures/config/multi-backend.yaml')
    const { config, warnings, useBackend } = await load({ file, cwd: join(file, '..') })
    expect(texts(warnings)).toEqual([
      'multi-backend.yaml:3:11 backends.tor.name: the backend "tor" is known but not installed',
      'multi-backend.yaml:10:11 backends.nym.name: the backend "nym" is known but not installed',
      'multi-backend.yaml:17:11 backends.veilid.name: the backend "veilid" is known but not installed',
    ])
    expect(config.tunnels).toMatchObject([{ name: 'api-server', backends: ['tor', 'nym'], strategy: 'load-balance' }])
    expect(config.backends[0]).toEqual({ name: 'tor', enabled: true, priority: 1, config: { tor_port: 9051, control_port: 9052 } })
    await expect(useBackend('nym')).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_NOT_INSTALLED',
      message: 'The backend "nym" is known but not installed.',
      hint: expect.stringContaining('plugins'),
    })
  })

  it('that are about to be used must be known', async () => {
    const { useBackend } = await load()
    await expect(useBackend('tro')).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_UNKNOWN',
      kind: 'config',
      message: expect.stringContaining('did you mean "tor"?'),
    })
    expect(await useBackend('mesh')).toMatchObject({ name: 'mesh', config: { mdns: 'on' } })
  })

  it('may be executables of any name', async () => {
    const { config, warnings, useBackend } = await resolveConfig(
      { backends: [{ name: 'mine', command: ['my-backend'], config: { any: 1 } }] },
      exampleCatalogue,
    )
    expect(warnings).toEqual([])
    expect(await useBackend('mine')).toBe(config.backends[0])
  })

  it('of plugins are asked for after the plugins of the file are known', async () => {
    await writeFile(
      join(root, 'project/beam.config.yaml'),
      'plugins: ["./my-backend"]\nbackends: [{ name: kite, config: { height: 1000 } }]',
    )
    const asked: unknown[] = []
    const loaded = new Map<string, object>()
    const error = await failure({
      knownBackends: (sources) => {
        asked.push(sources)
        loaded.set('kite', { type: 'object', properties: { height: { type: 'integer', maximum: 100 } } })
        return [...loaded.keys()]
      },
      schemaOf: async (name) => loaded.get(name) as Record<string, unknown> | undefined,
    })
    expect(asked).toEqual([{ plugins: ['./my-backend'], folder: join(root, 'project') }])
    expect(error.message).toContain('backends.kite.config.height: 1000 is not allowed; expected a whole number of at most 100')
  })

  it('of plugins that failed to load are warnings, since the others go on', async () => {
    await writeFile(join(inner, 'beam.config.yaml'), 'plugins: [beam-kite]\nbackends:\n  - name: mesh\n  - name: kite\n')
    const { warnings, useBackend } = await load({
      failures: [{ source: 'beam-kite', error: new PluginError('The plugin package beam-kite is not installed.') }],
    })
    expect(texts(warnings)).toEqual([
      'beam.config.yaml:1:11 plugins[0]: The plugin package beam-kite is not installed.',
      'beam.config.yaml:4:11 backends.kite.name: no backend is called "kite"; it may be one of a plugin that was not loaded: beam-kite',
    ])
    await expect(useBackend('kite')).rejects.toMatchObject({ code: 'BEAM_ERR_BACKEND_NOT_INSTALLED' })
    expect((await useBackend('mesh')).name).toBe('mesh')
  })

  it('with a schema that cannot be used are warnings, and errors when used', async () => {
    for (const schema of [
      { type: 'nonsense' },
      { $ref: '#/$defs/none' },
      { $async: true },
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      { properties: 5 },
    ]) {
      const { warnings, useBackend } = await resolveConfig(
        { backends: [{ name: 'mesh' }, { name: 'kite' }] },
        {
          schemaOf: (name) => (name === 'kite' ? schema : exampleCatalogue.schemaOf(name)),
        },
      )
      expect(texts(warnings)).toEqual([
        expect.stringContaining('backends.kite.name: the schema that the backend "kite" brings for its settings cannot be used: '),
      ])
      await expect(useBackend('kite')).rejects.toMatchObject({ code: 'BEAM_ERR_PLUGIN' })
    }
  })

  it('that are switched off are passed over in a chain', async () => {
    const { warnings } = await resolveConfig(
      {
        backends: [{ name: 'mesh' }, { name: 'tin-can', enabled: false, config: { url: 'x' } }],
        tunnels: [{ name: 'a', port: 1, backends: ['mesh', 'tin-can'] }],
      },
      exampleCatalogue,
    )
    expect(texts(warnings)).toEqual(['tunnels.a.backends[1]: "tin-can" is not enabled and so is passed over'])
  })
})

describe('any bytes', () => {
  const outcome = async (bytes: Uint8Array): Promise<void> => {
    const file = join(root, 'any.yaml')
    await writeFile(file, bytes)
    const result: unknown = await load({ file }).catch((reason: unknown) => reason)
    if (!(result instanceof InvalidConfigError)) expect(result).toHaveProperty('config.p2p.maxPeers')
  }

  it('are a configuration or an error with places', async () => {
    const word = fc.constantFrom(
      'backends',
      'name',
      'mesh',
      'config',
      'mdns',
      'tunnels',
      'port',
      '3000',
      'p2p',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a',
      '*a',
      '<<',
      '!!',
      '|',
      '#',
      ',',
      '? ',
      '%',
      '---',
      '\t',
      '__proto__',
      '\u0000',
      '💥',
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(word, { maxLength: 60 }).map((words) => new TextEncoder().encode(words.join(''))),
    )
    await fc.assert(fc.asyncProperty(bytes, outcome), { numRuns: 250 })
  })

  it('that are well-formed but mean anything are so too', async () => {
    const value = fc.json({ maxDepth: 4 })
    const config = fc.record({ backends: value, tunnels: value, plugins: value, p2p: value, routing: value }, { requiredKeys: [] }).map(
      (record) =>
        `{${Object.entries(record)
          .map(([key, json]) => `"${key}": ${json}`)
          .join(', ')}}`,
    )
    await fc.assert(
      fc.asyncProperty(config, async (text) => outcome(new TextEncoder().encode(text))),
      { numRuns: 120 },
    )
  })

  it.each(['[', '- ', '? ', '{a: ', '[{', '- - ? '])('of nothing but %j neither take long nor end the process', (piece) => {
    const { problems } = parseSource(piece.repeat(Math.floor((120 * 1024) / piece.length)), 'f')
    expect(problems.map(({ message }) => message)).toEqual(['nested too deeply; at most 64 levels are read'])
  })
})

describe('a file of the largest size', () => {
  const keys = Array.from({ length: 13_000 }, (_, index) => `k${index}: 1`)
  it.each([
    ['unknown keys', keys.join('\n'), 200],
    ['things without what they need', `tunnels:\n${'- { nam: x }\n'.repeat(9_000)}`, 200],
    ['names that are there already', `plugins:\n${'- x\n'.repeat(30_000)}`, 100],
    ['aliases', `a: &a 1\nb:\n${'- *a\n'.repeat(24_000)}`, 1],
    ['aliases without anchors', '- *a\n'.repeat(24_000), 101],
    ['syntax errors', '- "\\x\n'.repeat(20_000), 100],
  ])('with nothing but %s is refused with a bounded list', async (_what, text, most) => {
    const file = join(root, 'large.yaml')
    await writeFile(file, text)
    const { problems } = await failure({ file })
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThanOrEqual(most + 1)
  })
})
