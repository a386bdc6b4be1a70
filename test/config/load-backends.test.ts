import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../config/index.ts'
import { PluginError } from '../../core/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'
import { root, inner, load, failure, texts } from './load-stage.ts'

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
