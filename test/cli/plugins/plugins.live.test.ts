import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pluginCode, writePackage } from '../../plugins/plugin-package.ts'
import { expectSchema } from '../backend/expect-schema.ts'
import { beam, temporaryFolder } from '../beam-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const at = (...names: string[]): string => join(folder.path, ...names)
/** Without the network, whatever npm would do with it. */
const OFFLINE = { npm_config_offline: 'true', npm_config_update_notifier: 'false' }
const plugins = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof beam> =>
  beam(['plugins', ...args], folder.path, { ...OFFLINE, npm_config_cache: at('npm-cache'), ...env })
const installed = async (): Promise<{ package: string; version: string; backend: string; named: boolean }[]> => {
  const { stdout } = await plugins(['list', '--json'])
  const value = JSON.parse(stdout) as { plugins: { package: string; version: string; backend: string; named: boolean }[] }
  expectSchema('plugins', value)
  return value.plugins
}
const config = (): string => readFileSync(at('beam.config.yaml'), 'utf8')

async function source(name: string, version = '1.0.0', more: object = {}): Promise<string> {
  const manifest = { name: `beam-backend-${name}`, version, beam: { plugin: './index.mjs', apiVersion: 1 }, ...more }
  return writePackage(at(name), { 'index.mjs': pluginCode(name) }, manifest)
}

function pack(name: string): string {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd: at(name), encoding: 'utf8', env: { ...process.env, ...OFFLINE } }),
  ) as { filename: string }[]
  return join(name, packed?.filename ?? '')
}

describe('beam plugins', () => {
  it('installs folders and tarballs, lists them, and removes them again', { timeout: 60_000 }, async () => {
    await source('tin')
    await source('can', '2.1.0', { name: '@me/can' })
    const tarball = pack('can')
    const { code, stdout, stderr } = await plugins(['add', './tin', tarball])
    expect(code).toBe(0)
    expect(stdout).toBe('Installed beam-backend-tin 1.0.0\nInstalled @me/can 2.1.0\n')
    expect(stderr).toContain('Not used yet')
    // Copies: what happens to the originals is of no consequence.
    await rm(at('tin'), { recursive: true })
    await rm(at('can'), { recursive: true })
    expect(await installed()).toEqual([
      { package: '@me/can', version: '2.1.0', backend: 'can', named: false },
      { package: 'beam-backend-tin', version: '1.0.0', backend: 'tin', named: false },
    ])
    expect((await plugins(['list'])).stdout).toMatch(/^beam-backend-tin +1\.0\.0 +tin +no$/m)
    const removed = await plugins(['remove', 'can', '--json'])
    expectSchema('plugins', JSON.parse(removed.stdout))
    expect((await installed()).map((plugin) => plugin.package)).toEqual(['beam-backend-tin'])
    expect((await plugins(['remove', 'can'])).code).toBe(2)
  })

  it('--save names a plugin in the configuration and takes it out again, comments and all', { timeout: 60_000 }, async () => {
    await source('tin')
    await writeFile(at('beam.config.yaml'), '# ours\nplugins: ["./can"] # theirs\nbackends:\n  - { name: mesh } # first\n', { mode: 0o600 })
    await source('can')
    expect(await plugins(['add', './tin', '--save'])).toMatchObject({ code: 0, stderr: '' })
    expect(config()).toBe('# ours\nplugins: ["./can", beam-backend-tin] # theirs\nbackends:\n  - { name: mesh } # first\n')
    expect((await installed())[0]?.named).toBe(true)
    const { stdout } = await beam(['backend', 'list'], folder.path)
    expect(stdout).toMatch(/^tin +installed .* beam-backend-tin$/m)
    const added = await plugins(['add', './tin', '--save', '--json'])
    expectSchema('plugins', JSON.parse(added.stdout))
    await plugins(['remove', 'beam-backend-tin', '--save'])
    expect(config()).toBe('# ours\nplugins: ["./can"] # theirs\nbackends:\n  - { name: mesh } # first\n')
  })

  it('makes the user’s own configuration when there is none', { timeout: 60_000 }, async () => {
    await source('tin')
    const { stdout } = await plugins(['add', './tin', '--save'])
    expect(stdout).toContain(at('home', 'config', 'beam.config.yaml'))
    expect((await beam(['backend', 'list'], folder.path)).stdout).toMatch(/^tin +installed/m)
  })

  it('says what is left to do without --save', { timeout: 60_000 }, async () => {
    await source('tin')
    await writeFile(at('beam.config.yaml'), 'plugins: [beam-backend-tin]\n', { mode: 0o600 })
    expect((await plugins(['add', './tin'])).stderr).toBe('')
    const { code, stderr } = await plugins(['remove', 'tin', '--no-save'])
    expect(code).toBe(0)
    expect(stderr).toContain('still names beam-backend-tin')
  })

  it('takes the same version with other content', { timeout: 60_000 }, async () => {
    await source('tin')
    await plugins(['add', './tin', '--save'])
    await writeFile(at('tin', 'index.mjs'), pluginCode('tin', { plugin: 'description: "the second"' }))
    await plugins(['add', './tin', '--save'])
    expect((await beam(['backend', 'info', 'tin'], folder.path)).stdout).toContain('the second')
    expect(await readdir(at('home', 'data', 'plugins', 'tarballs'))).toHaveLength(1)
  })
})

describe('beam plugins add leaves what was there', () => {
  beforeEach(async () => {
    await source('tin')
    await plugins(['add', './tin'])
  }, 60_000)

  async function expectUnchanged(): Promise<void> {
    expect((await installed()).map((plugin) => plugin.package)).toEqual(['beam-backend-tin'])
    expect((await readdir(at('home', 'data'))).filter((name) => name.startsWith('plugins'))).toEqual(['plugins'])
  }

  it.each<[what: string, make: () => Promise<unknown>, arg: string, exitCode: number, message: string]>([
    ['is no plugin', () => writePackage(at('x'), {}, { name: 'x' }), './x', 2, 'is no Beam plugin'],
    [
      'is for another Beam',
      () => source('x', '1.0.0', { beam: { plugin: './index.mjs', apiVersion: 9 } }),
      './x',
      2,
      'written for version 9',
    ],
    ['was not built', () => source('x', '1.0.0', { beam: { plugin: './dist/x.js', apiVersion: 1 } }), './x', 2, 'has no ./dist/x.js'],
    ['is no package', () => mkdir(at('x')), './x', 1, 'package.json'],
    ['is not there', () => Promise.resolve(), './x', 2, 'There is no folder or tarball'],
    ['is no tarball', () => writeFile(at('x.tgz'), 'no tar'), 'x.tgz', 1, 'npm failed'],
    ['cannot be fetched', () => Promise.resolve(), 'beam-backend-nowhere', 1, 'could not reach its registry'],
    ['is an address', () => Promise.resolve(), 'git+ssh://example.com/x', 2, 'is no package, folder or tarball'],
    ['looks like a flag to npm', () => Promise.resolve(), '--', 2, ''],
    ['is Beam itself', () => Promise.resolve(), 'beam-tunnel', 2, 'Beam itself'],
  ])('when a package %s', { timeout: 60_000 }, async (_, make, arg, exitCode, message) => {
    await make()
    const { code, stderr } = await plugins(['add', arg])
    expect(stderr).toContain(message)
    expect(code).toBe(exitCode)
    await expectUnchanged()
  })

  it('when one of several is bad', { timeout: 60_000 }, async () => {
    await source('can')
    await writePackage(at('x'), {}, { name: 'x' })
    expect((await plugins(['add', './can', './x'])).code).toBe(2)
    await expectUnchanged()
  })

  it('when npm is missing', async () => {
    const { code, stderr } = await plugins(['add', './tin'], { PATH: at('empty') })
    expect(code).toBe(1)
    expect(stderr).toContain('npm was not found')
    await expectUnchanged()
  })

  it('when npm fails half-way', { timeout: 60_000 }, async () => {
    await mkdir(at('bin'))
    await writeFile(
      at('bin', 'npm'),
      `#!${process.execPath}\nrequire('node:fs').rmSync('node_modules', { recursive: true, force: true })\nprocess.exit(3)\n`,
    )
    await chmod(at('bin', 'npm'), 0o755)
    const { code, stderr } = await plugins(['add', 'beam-backend-can'], { PATH: at('bin') })
    expect(code).toBe(1)
    expect(stderr).toContain('npm failed (exit code 3)')
    await expectUnchanged()
  })
})

it('runs no install script unless it is told to', { timeout: 60_000 }, async () => {
  const ran = at('ran')
  const scripts = { postinstall: `node -e "require('node:fs').writeFileSync(process.env.RAN, '')"` }
  await source('tin', '1.0.0', { scripts })
  await plugins(['add', './tin'], { RAN: ran })
  expect(await readdir(folder.path)).not.toContain('ran')
  await plugins(['add', './tin', '--scripts'], { RAN: ran })
  expect(await readdir(folder.path)).toContain('ran')
})

it('says so when none is installed', async () => {
  expect(await plugins(['list'])).toMatchObject({ code: 0, stdout: 'No plugins are installed. To install one: beam plugins add PACKAGE\n' })
})
