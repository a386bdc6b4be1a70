import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { editConfig, initConfig, loadConfig, type Change, type LoadOptions } from '../../config/index.ts'
import { writeConfigFile } from '../../config/write-file.ts'
import { exampleCatalogue } from './example-catalogue.ts'

const FILE = '# mine\np2p: { maxPeers: 5 } # few\ntunnels:\n  - { name: web, port: 3000, access: { secret: hush } }\n'

let root: string
let file: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'beam-edit-'))
  file = join(root, 'beam.config.yaml')
})
afterEach(() => rm(root, { recursive: true, force: true }))

const edit = (change: Change, options: LoadOptions = {}) =>
  editConfig(change, { ...exampleCatalogue, cwd: root, paths: { config: join(root, 'user') }, env: {}, stopDir: root, ...options })
const text = () => readFile(file, 'utf8')

describe('editConfig()', () => {
  it('changes the file that counts and nothing else in it', async () => {
    await writeFile(file, FILE)
    expect(await edit({ set: 'p2p.maxPeers', text: '70' })).toEqual({
      file,
      path: 'p2p.maxPeers',
      before: 5,
      after: 70,
      changed: true,
      warnings: [],
    })
    expect(await text()).toBe(FILE.replace('5', '70'))
    expect(await edit({ unset: 'p2p.maxPeers' })).toMatchObject({ before: 70, changed: true })
    expect(await text()).toBe(FILE.replace('{ maxPeers: 5 }', '{}'))
    expect(await edit({ unset: 'p2p.maxPeers' })).toMatchObject({ changed: false })
  })

  it('reads texts in the type of the setting', async () => {
    await writeFile(file, FILE)
    await edit({ set: 'tunnels.web.access.secret', text: '12345' })
    await edit({ set: 'p2p.bootstrap', text: 'a.example:1,[::1]:2' })
    await edit({ set: 'plugins', text: '["./x, y", z]' })
    await edit({ set: 'backends.tin-can.config', text: '{ url: 7, length: 3 }' }).catch(() => undefined)
    await edit({ set: 'backends.tin-can.config.url', text: '7' })
    await edit({ set: 'tunnels.web.allowExposure', text: 'true' })
    const { config } = await loadConfig({ ...exampleCatalogue, file, env: {} })
    expect(config).toMatchObject({
      p2p: { bootstrap: ['a.example:1', '[::1]:2'] },
      plugins: ['./x, y', 'z'],
      backends: [{ name: 'tin-can', config: { url: '7' } }],
      tunnels: [{ allowExposure: true, access: { secret: '12345' } }],
    })
    await edit({ set: 'p2p.bootstrap', text: 'none' })
    expect((await loadConfig({ ...exampleCatalogue, file, env: {} })).config.p2p.bootstrap).toEqual([])
  })

  it.each([
    [{ set: 'p2p.maxPeers', text: 'many' }, 'p2p.maxPeers: "many" is not allowed; expected a whole number from 1 to 1000'],
    [{ set: 'tunnels.api.port', text: '3000' }, 'tunnels.api.port: 3000 is published by the tunnel "web" already (line 4)'],
    [{ set: 'tunnels.web.backends', text: 'tor' }, 'tunnels.web.backends[0]: "tor" is not declared under backends; declared: mesh'],
    [{ set: 'backends.mesh.config.mdns', text: 'maybe' }, 'backends.mesh.config.mdns: "maybe" is not allowed; allowed: on, off, loopback'],
    [{ unset: 'tunnels.web.port' }, 'tunnels.web.port: missing; expected a whole number from 1 to 65535'],
    [{ set: 'p2p.maxPeer', text: '5' }, 'There is no setting p2p.maxPeer.'],
    [{ set: 'backends.mesh.config.mdsn', text: 'on' }, 'There is no setting backends.mesh.config.mdsn.'],
    [{ unset: 'p2p.nothing' }, 'There is no setting p2p.nothing.'],
    [{ set: 'p2p..maxPeers', text: '5' }, '"p2p..maxPeers" is not the path of a setting.'],
    [{ set: '__proto__.polluted', text: '5' }, '"__proto__.polluted" is not the path of a setting.'],
  ] as const)('writes nothing when the result would be wrong: %j', async (change, message) => {
    await writeFile(file, FILE)
    await expect(edit(change)).rejects.toMatchObject({ message, kind: 'config' })
    expect(await text()).toBe(FILE)
    expect(await readdir(root)).toEqual(['beam.config.yaml'])
  })

  it('mends a wrong file, and tells of the other mistakes with their places', async () => {
    await writeFile(file, 'p2p:\n  maxPeers: 5000\n  maxPeerz: 1\n')
    await expect(edit({ set: 'p2p.maxPeers', text: '50' })).rejects.toThrow(
      'beam.config.yaml:3:3 p2p.maxPeerz: unknown key; did you mean "maxPeers"?',
    )
    await writeFile(file, 'p2p:\n  maxPeers: 50\n  maxPeerz: 1\n')
    expect(await edit({ unset: 'p2p.maxPeerz' })).toMatchObject({ changed: true })
  })

  it('warns of what the change brings, not of what was there', async () => {
    await writeFile(file, 'backends:\n  - name: tor\n')
    expect((await edit({ set: 'p2p.maxPeers', text: '7' })).warnings).toEqual([])
    expect((await edit({ set: 'backends.nym.enabled', text: 'true' })).warnings).toMatchObject([{ path: 'backends.nym.name' }])
  })

  it('never tells a secret', async () => {
    await writeFile(file, FILE)
    const result = await edit({ set: 'tunnels.web.access.secret', text: 'silence' })
    expect(result).toMatchObject({ before: '(hidden)', after: '(hidden)' })
    expect(JSON.stringify(await edit({ unset: 'tunnels.web' }))).not.toContain('silence')
  })

  it("makes the user's file when there is none, for the owner only", async () => {
    const result = await edit({ set: 'p2p.participation', text: 'full' })
    expect(result.file).toBe(join(root, 'user/beam.config.yaml'))
    expect(await readFile(result.file, 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=.*beam\.config\.schema\.json\np2p:\n {2}participation: full\n$/,
    )
    if (process.platform !== 'win32') expect((await stat(result.file)).mode & 0o777).toBe(0o600)
  })

  it.runIf(process.platform !== 'win32')('keeps mode, owner, byte order mark and link', async () => {
    const real = join(root, 'real.yaml')
    await writeFile(real, `\uFEFF${FILE}`)
    await chmod(real, 0o664)
    const asRoot = process.getuid?.() === 0
    if (asRoot) await chown(real, 12345, 12345)
    await symlink('real.yaml', file)
    await edit({ set: 'p2p.maxPeers', text: '6' }, { file })
    expect((await lstat(file)).isSymbolicLink()).toBe(true)
    expect((await stat(real)).mode & 0o777).toBe(0o664)
    if (asRoot) expect((await stat(real)).uid).toBe(12345)
    expect(await readFile(real, 'utf8')).toBe(`\uFEFF${FILE.replace('5', '6')}`)
  })

  it('loses no change of another program', async () => {
    await writeFile(file, FILE)
    const before = await readFile(file)
    await writeFile(file, `${FILE}# another hand\n`)
    await expect(writeConfigFile(file, 'p2p: {}\n', { before })).rejects.toThrow('was changed by another program')
    await expect(writeConfigFile(file, 'p2p: {}\n')).rejects.toThrow('was changed by another program')
    expect(await text()).toContain('# another hand')
    expect(await readdir(root)).toEqual(['beam.config.yaml'])
  })

  it('of several at once loses none: each is written or told to be done again', async () => {
    await writeFile(file, FILE)
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const results = await Promise.allSettled(
      names.map(async (name, index) => edit({ set: `tunnels.${name}.port`, text: String(4000 + index) })),
    )
    const { config } = await loadConfig({ ...exampleCatalogue, file, env: {} })
    const refused = results.filter((result) => result.status === 'rejected').map((result) => (result.reason as Error).message)
    expect(refused.every((message) => message.includes('was changed by another program'))).toBe(true)
    expect(config.tunnels.length).toBeGreaterThan(1)
    expect(await readdir(root)).toEqual(['beam.config.yaml'])
  })
})

describe('initConfig()', () => {
  it('writes a file that is valid, with its examples and without', async () => {
    await initConfig(file)
    const template = await text()
    const check = async () => loadConfig({ ...exampleCatalogue, file, env: {} })
    expect(await check()).toMatchObject({ warnings: [], config: { tunnels: [], p2p: { maxPeers: 50 } } })
    // Every example is text directly behind its #; sentences have a space there.
    await writeFile(file, template.replaceAll(/^( *)#(?=[^ ])/gm, '$1').replace('["beam-backend-example", "./my-backend"]', '[]'))
    expect(await check()).toMatchObject({
      warnings: [],
      config: {
        tunnels: [{ name: 'web', port: 3000, backends: ['mesh'], access: { secret: 'a word' } }],
        routing: { strategy: 'quality' },
      },
    })
  })

  it('replaces nothing unless it is told to', async () => {
    await writeFile(file, FILE)
    await expect(initConfig(file)).rejects.toMatchObject({ kind: 'config', hint: 'Replace it with: beam config init --force' })
    expect(await text()).toBe(FILE)
    await initConfig(file, { force: true })
    expect(await text()).toContain('# Settings of Beam.')
    await expect(initConfig(root, { force: true })).rejects.toThrow('it is a folder')
  })
})
