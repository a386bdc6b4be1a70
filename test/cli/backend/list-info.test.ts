import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pluginCode, writePackage } from '../../plugins/plugin-package.ts'
import { beam, temporaryFolder } from '../beam-process.ts'
import { expectSchema } from './expect-schema.ts'

const UNRULY = fileURLToPath(new URL('../../plugins/executable/unruly.mjs', import.meta.url))

interface Shown {
  readonly name: string
  readonly state: string
  readonly reason?: string
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  const schema = `{ type: "object", properties: {
    knots: { type: "integer", minimum: 1, maximum: 9, default: 3, description: "Knots in the string." },
    far: { type: "object", properties: { key: { type: "string", writeOnly: true, description: "Opens it." } } },
    modes: { type: "array", items: { enum: ["loud", "quiet"] } },
  } }`
  await writePackage(join(folder.path, 'tin'), { 'index.mjs': pluginCode('tin', { schema }) })
  await writePackage(
    join(folder.path, 'bad'),
    { 'index.mjs': 'throw new Error("no metal")' },
    { name: 'bad', beam: { plugin: './index.mjs', apiVersion: 1 } },
  )
  const config = {
    backends: [
      { name: 'mesh', priority: 5 },
      { name: 'unruly', priority: 2, command: [process.execPath, UNRULY] },
      { name: 'tin', enabled: false },
    ],
    plugins: ['./tin', './bad'],
  }
  await writeFile(join(folder.path, 'beam.config.yaml'), JSON.stringify(config), { mode: 0o600 })
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('beam backend list', () => {
  it('shows all there is: by state, then by priority, with reasons, in 80 columns', async () => {
    const { code, stdout, stderr } = await beam(['backend', 'list'], folder.path)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))
    expect(rows.slice(0, 4)).toEqual([
      ['NAME', 'STATE', 'PRIORITY'],
      ['unruly', 'enabled', '2'],
      ['mesh', 'enabled', '5'],
      ['tin', 'installed', '100'],
    ])
    // Those that are built in and not enabled stand between.
    const states = rows
      .slice(1)
      .flatMap(([, state]) => (state === undefined || !/^(enabled|installed|failed|not installed)$/.test(state) ? [] : [state]))
    expect([...new Set(states)]).toEqual(['enabled', 'installed', 'failed', 'not installed'])
    expect(rows).toContainEqual(['bad', 'failed', './bad'])
    expect(stdout).toMatch(/^nym +not installed$/m)
    expect(stdout).toMatch(/^tin .* both ends +\.\/tin$/m)
    expect(stdout).toContain('bad: The plugin ./bad could not be loaded: no metal')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('prints what its schema describes with --json', async () => {
    const { code, stdout } = await beam(['backend', 'list', '--json'], folder.path)
    expect(code).toBe(0)
    const value = JSON.parse(stdout) as { backends: Shown[] }
    expectSchema('backend-list', value)
    expect(value.backends.find(({ name }) => name === 'mesh')).toMatchObject({ state: 'enabled', source: 'built-in', version: '0.1.0' })
    expect(value.backends.find(({ name }) => name === 'tin')).toMatchObject({ state: 'installed', source: './tin', version: '1.2.3' })
    expect(value.backends.find(({ name }) => name === 'unruly')).not.toHaveProperty('capabilities')
    expect(value.backends.find(({ name }) => name === 'nym')?.reason).toContain('plugins')
  })
})

describe('beam backend info', () => {
  it('shows capabilities and a table of settings', async () => {
    const { code, stdout } = await beam(['backend', 'info', 'tin'], folder.path)
    expect(code).toBe(0)
    expect(stdout).toMatch(/Hides +both ends/)
    expect(stdout).toMatch(/Version +1\.2\.3/)
    expect(stdout).toMatch(/^knots +integer, 1 to 9 +3 +Knots in the string\.$/m)
    expect(stdout).toMatch(/^far\.key +string +Opens it\. Secret\.$/m)
    expect(stdout).toMatch(/^modes +list of loud \|/m)
    expect(stdout).not.toMatch(/^far /m)
  })

  it('fits the mesh’s settings into 80 columns', async () => {
    const { stdout } = await beam(['backend', 'info', 'mesh'], folder.path)
    expect(stdout).toContain('BEAM_P2P_MDNS')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('prints what its schema describes with --json', async () => {
    for (const name of ['tin', 'mesh', 'unruly', 'bad', 'nym']) {
      const { code, stdout } = await beam(['backend', 'info', name, '--json'], folder.path)
      expect(code).toBe(0)
      expectSchema('backend-info', JSON.parse(stdout))
    }
  })

  it('asks an executable what it can do with --start, and ends it again', async () => {
    const { code, stdout } = await beam(['backend', 'info', 'unruly', '--start', '--json'], folder.path)
    expect(code).toBe(0)
    const value = JSON.parse(stdout) as object
    expectSchema('backend-info', value)
    expect(value).toMatchObject({ capabilities: { delivery: 'stream' }, status: { state: 'running' } })
  })

  it('is an error for a name that nothing knows, and with --start for what cannot be started', async () => {
    const empty = await temporaryFolder()
    await using _ = empty
    const unknown = await beam(['backend', 'info', 'msh'], empty.path)
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain('did you mean "mesh"?')
    const missing = await beam(['backend', 'info', 'nym', '--start'], empty.path)
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('BEAM_ERR_BACKEND_NOT_INSTALLED')
  })
})
