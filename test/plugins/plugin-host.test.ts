import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../core/index.ts'
import { createBeam, type Beam, type BeamOptions, type PublishEvent } from '../../plugins/index.ts'
import { loadPlugin } from '../../plugins/load-plugin.ts'
import { PluginHost } from '../../plugins/plugin-host.ts'
import { findPlugin } from '../../plugins/plugin-source.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'
import { pluginCode, writePackage } from './plugin-package.ts'

let paths: Awaited<ReturnType<typeof temporaryPaths>>
const open: Array<() => PromiseLike<unknown>> = []
beforeEach(async () => {
  paths = await temporaryPaths()
})
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  await paths[Symbol.asyncDispose]()
})

const at = (name: string): string => join(paths.home, name)
const find = (source: string) => findPlugin(source, { folder: paths.home, installed: join(paths.data, 'plugins') })

async function loadFrom(code: string, manifest?: object) {
  await writePackage(at('tin'), { 'index.mjs': code }, manifest)
  return loadPlugin(await find('./tin'), 300)
}

describe('finding a plugin', () => {
  it('takes a folder relative to the configuration', async () => {
    await writePackage(at('tin'), { 'index.mjs': pluginCode('tin') })
    expect(await find('./tin')).toMatchObject({ source: './tin', manifest: { plugin: './index.mjs', apiVersion: 1, version: '1.2.3' } })
  })

  it('takes a package beside the configuration, and one that is installed in Beam’s own folder', async () => {
    await writePackage(
      at('node_modules/beam-backend-a'),
      { 'index.mjs': pluginCode('a') },
      { name: 'beam-backend-a', beam: { plugin: './index.mjs', apiVersion: 1 } },
    )
    await writePackage(join(paths.data, 'plugins/node_modules/@me/b'), { 'index.mjs': pluginCode('b') })
    expect((await find('beam-backend-a')).manifest.backend).toBe('a')
    expect((await find('@me/b')).folder).toContain('@me')
  })

  it.each([
    ['./nowhere', 'does not exist'],
    ['not-there', 'not installed'],
    ['../../x/../', 'does not exist|cannot be read|no Beam plugin'],
    ['Not A Name', 'neither a package nor a folder'],
    ['file:///etc', 'neither a package nor a folder'],
  ])('refuses %s', async (source, message) => {
    await expect(find(source)).rejects.toMatchObject({ code: 'BEAM_ERR_PLUGIN', message: expect.stringMatching(message) as string })
  })

  it.each([
    ['no beam', {}, 'no Beam plugin'],
    ['no apiVersion', { beam: { plugin: './index.mjs' } }, 'apiVersion'],
    ['another apiVersion', { beam: { plugin: './index.mjs', apiVersion: 2 } }, 'written for version 2'],
    ['a module outside the package', { beam: { plugin: './../evil.mjs', apiVersion: 1 } }, 'pattern'],
    ['an absolute module', { beam: { plugin: '/etc/evil.mjs', apiVersion: 1 } }, 'pattern'],
    ['unknown members', { beam: { plugin: './index.mjs', apiVersion: 1, postinstall: 'x' } }, 'additional'],
    ['a missing module', { beam: { plugin: './dist/index.mjs', apiVersion: 1 } }, 'has no ./dist/index.mjs'],
  ])('refuses a manifest with %s without running any code', async (_, manifest, message) => {
    await writePackage(at('tin'), { 'index.mjs': 'globalThis.ranTooEarly = true' }, manifest)
    await expect(find('./tin')).rejects.toMatchObject({ code: 'BEAM_ERR_PLUGIN', message: expect.stringContaining(message) as string })
    expect(globalThis).not.toHaveProperty('ranTooEarly')
  })

  it('refuses a manifest that is no JSON, and a link that leads out', async () => {
    await writePackage(at('tin'), { 'package.json': '{ not json' })
    await expect(find('./tin')).rejects.toMatchObject({ message: expect.stringContaining('no JSON') as string })
    await writePackage(at('out'), { 'index.mjs': '' })
    await mkdir(at('link'))
    await writePackage(at('link'), {})
    await symlink(at('out/index.mjs'), at('link/index.mjs'))
    await expect(find('./link')).rejects.toMatchObject({ message: expect.stringContaining('outside its folder') as string })
  })
})

describe('loading a plugin', () => {
  it('gives its default export', async () => {
    expect(await loadFrom(pluginCode('tin'))).toMatchObject({ name: 'tin', apiVersion: 1 })
  })

  it.each([
    ['throws when it is loaded', 'throw new Error("boom at load")', 'boom at load'],
    ['has a syntax error', 'export default {', 'could not be loaded'],
    ['imports what is not there', 'import "./missing.mjs"', 'could not be loaded'],
    ['exports nothing', 'export const other = 1', 'exports no plugin'],
    ['exports a function', 'export default () => {}', 'its export is function'],
    ['says another apiVersion in its code', pluginCode('tin', { plugin: 'apiVersion: 7' }), 'written for version 7'],
    ['has a bad name', pluginCode('tin', { plugin: 'name: "../Tin"' }), 'its name is'],
    ['has no create', pluginCode('tin', { plugin: 'create: undefined' }), 'no function create'],
    ['has no schema', pluginCode('tin', { schema: 'undefined' }), 'no configSchema'],
    ['never finishes loading', 'await new Promise(() => setInterval(() => {}, 1e6).unref())', 'took longer than'],
  ])('that %s is an error that names it', async (_, code, message) => {
    const attempt = loadFrom(code)
    await expect(attempt).rejects.toMatchObject({ code: 'BEAM_ERR_PLUGIN', message: expect.stringContaining(message) as string })
    await expect(attempt).rejects.toThrow('./tin')
  })
})

describe('a host', () => {
  const host = (plugins = [memoryPlugin()]) => new PluginHost({ paths, logger: silentLogger, plugins })

  it('refuses two plugins of one name and keeps the first', async () => {
    await writePackage(at('again'), { 'index.mjs': pluginCode('memory') })
    const both = host()
    await both.load({ plugins: ['./again', './again'], folder: paths.home })
    expect(both.failures).toMatchObject([
      { source: './again', error: { message: expect.stringContaining('so does another one (given)') as string } },
    ])
    expect((await both.find('memory'))?.source).toBe('given')
    expect(() => host([memoryPlugin(), memoryPlugin()])).toThrow('so does another one')
  })

  it('knows names, schemas and failures', async () => {
    await writePackage(at('good'), { 'index.mjs': pluginCode('good', { schema: '{ type: "object", title: "Good" }' }) })
    await writePackage(
      at('beam-backend-bad'),
      { 'index.mjs': 'throw new Error("bad")' },
      { name: 'beam-backend-bad', beam: { plugin: './index.mjs', apiVersion: 1 } },
    )
    const all = host()
    const known = await all.knownBackends({ plugins: ['./good', './beam-backend-bad', './absent'], folder: paths.home })
    expect(all.names()).toEqual(expect.arrayContaining(['memory', 'good']))
    expect(await all.schemaOf('good')).toMatchObject({ title: 'Good' })
    expect(await all.schemaOf('nothing')).toBeUndefined()
    expect(all.failureOf('bad')?.message).toContain('could not be loaded')
    expect(known).toEqual(
      expect.arrayContaining([{ name: 'good' }, { name: 'bad', hint: expect.stringContaining('./beam-backend-bad') as string }]),
    )
  })
})

describe('a Beam instance with plugins from folders', () => {
  async function beamWith(packages: Readonly<Record<string, string>>, options: BeamOptions = {}): Promise<Beam> {
    for (const [name, code] of Object.entries(packages))
      await writePackage(at(name), { 'index.mjs': code }, { name, beam: { plugin: './index.mjs', apiVersion: 1 } })
    const names = Object.keys(packages)
    const beam = await createBeam({
      config: {
        plugins: names.map((name) => `./${name}`),
        backends: [...names, 'memory'].map((name, index) => ({ name, priority: index + 1 })),
      },
      folder: paths.home,
      plugins: [memoryPlugin()],
      paths,
      env: {},
      ...options,
    })
    open.push(() => beam[Symbol.asyncDispose]())
    return beam
  }

  async function publish(beam: Beam, backends?: readonly string[]): Promise<{ backends: string[]; events: PublishEvent[] }> {
    const echo = await echoServer()
    open.push(echo.close)
    const events: PublishEvent[] = []
    const tunnel = await beam.publish(echo.port, {
      onEvent: (event) => events.push(event),
      ...(backends === undefined ? {} : { backends }),
    })
    return { backends: tunnel.snapshot().endpoints.map(({ backend }) => backend), events }
  }

  it('uses one that is good', async () => {
    expect((await publish(await beamWith({ tin: pluginCode('tin') }))).backends).toEqual(['tin'])
  })

  it.each([
    [
      'throws in create',
      pluginCode('tin', { plugin: 'create() { throw new Error("no string") }' }),
      /plugin tin failed while making its backend: no string/,
    ],
    ['makes no backend', pluginCode('tin', { plugin: 'create: () => ({ name: "tin" })' }), /made no backend: it lacks initialize/],
    ['makes a backend of another name', pluginCode('tin', { over: 'name: "other"' }), /calls itself "other"/],
    ['makes its backend too slowly', pluginCode('tin', { plugin: 'create: async () => make()' }), /create returned a promise/],
    ['has wrong capabilities', pluginCode('tin', { over: 'getCapabilities: () => ({ delivery: "pigeon" }),' }), /capabilities are wrong/],
    [
      'throws in initialize',
      pluginCode('tin', { over: 'async initialize() { throw new Error("no can") },' }),
      /plugin tin failed while starting: no can/,
    ],
    [
      'gives garbage for a tunnel',
      pluginCode('tin', { over: 'async startTunnel() { return { id: 7 } },' }),
      /backend tin broke its contract: startTunnel/,
    ],
    ['could not be loaded', 'throw new Error("no metal")', /no metal/],
  ])('goes on with another backend when one %s', async (_, code, message) => {
    const beam = await beamWith({ tin: code })
    const { backends, events } = await publish(beam)
    expect(backends).toEqual(['memory'])
    expect(events[0]).toMatchObject({ event: 'warning', backend: 'tin', message: expect.stringMatching(message) as string })
    await expect(publish(beam, ['tin'])).rejects.toThrow(message)
  })

  it('tells of garbage and floods of events once, and passes the good ones', async () => {
    const over = `async startTunnel(port, { id, onEvent }) {
      onEvent({ type: 'nonsense' }); onEvent(null); onEvent({ type: 'address', address: 5 })
      for (let i = 0; i < 10000; i++) onEvent({ type: 'progress', phase: 'p', message: 'm' + i })
      return { id, backend: 'tin', port, endpoints: [{ backend: 'tin', address: 'tin://x', state: 'active', reveals: [] }] }
    },`
    const { events } = await publish(await beamWith({ tin: pluginCode('tin', { over }) }))
    expect(events.filter(({ event }) => event === 'warning')).toHaveLength(1)
    expect(events.filter(({ event }) => event === 'progress').length).toBeLessThan(200)
    expect(events.at(-1)?.event).toBe('ready')
  })

  it('refuses a block that the plugin’s schema does not allow, and hands over one that it allows with its defaults', async () => {
    const schema = '{ type: "object", additionalProperties: false, properties: { knots: { type: "integer", default: 3 } } }'
    await writePackage(at('tin'), {
      'index.mjs': pluginCode('tin', { schema, over: 'async getNetworkStats() { return context.config },' }),
    })
    const make = (config: Record<string, unknown>) =>
      createBeam({ config: { plugins: ['./tin'], backends: [{ name: 'tin', config }] }, folder: paths.home, paths, env: {} })
    await expect(make({ knots: 'many' })).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('knots') as string })
    const beam = await make({})
    open.push(() => beam[Symbol.asyncDispose]())
    expect((await publish(beam)).backends).toEqual(['tin'])
  })
})
