import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const START = `import { main } from ${JSON.stringify(pathToFileURL(join(ROOT, 'cli/main.ts')).href)}; await main(process.argv.slice(1), ${JSON.stringify(ROOT)})`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-config-cli-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs the command as a process of its own, from the sources. */
function beam(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { readonly code: number | null; readonly out: string; readonly err: string } {
  const tsx = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=beam:source', '--import', tsx, '--input-type=module', '--eval', START, '--', 'config', ...args],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, BEAM_HOME: join(folder, 'home'), BEAM_P2P_BOOTSTRAP: '', BEAM_P2P_MDNS: '', BEAM_P2P_PORTMAP: '', ...env },
    },
  )
  return { code: status, out: stdout, err: stderr }
}

const describedBy = new Ajv2020().compile(createRequire(import.meta.url)('../../schemas/config-output.schema.json') as object)

/** What a command prints with --json, which the schema describes. */
function json(
  command: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): { readonly code: number | null; readonly document: unknown } {
  const { code, out } = beam([command, ...args, '--json'], env)
  const document: unknown = JSON.parse(out)
  describedBy({ [command]: document })
  expect(describedBy.errors ?? []).toEqual([])
  return { code, document }
}

describe('beam config', () => {
  it('init, set, get, show, path and unset work on one file', async () => {
    const file = join(folder, 'beam.config.yaml')
    expect(json('init')).toEqual({ code: 0, document: { file } })
    expect(beam(['init'])).toMatchObject({ code: 2, out: '' })
    expect(beam(['set', 'tunnels.web.port', '3000'])).toMatchObject({ code: 0, err: '' })
    expect(json('set', ['tunnels.web.access.secret', 'hush'])).toEqual({
      code: 0,
      document: { file, path: 'tunnels.web.access.secret', after: '(hidden)', changed: true, warnings: [] },
    })
    expect(await readFile(file, 'utf8')).toContain('\n  - name: web\n    port: 3000\n    access:\n      secret: hush\n')
    expect(beam(['get', 'tunnels.web.port'])).toMatchObject({ code: 0, out: '3000\n', err: '' })
    expect(beam(['get', 'tunnels.web.domain'])).toMatchObject({ code: 1, out: '', err: 'tunnels.web.domain is not set.\n' })
    expect(json('get', ['tunnels.web.access'])).toEqual({
      code: 0,
      document: { path: 'tunnels.web.access', value: { secret: '(hidden)' } },
    })
    const shown = json('show', [], { BEAM_P2P_MDNS: 'off' })
    expect(shown).toMatchObject({
      code: 0,
      document: {
        file,
        config: { backends: [{ name: 'mesh', config: { mdns: 'off' } }], tunnels: [{ name: 'web', access: { secret: '(hidden)' } }] },
        overrides: [{ variable: 'BEAM_P2P_MDNS', path: 'backends.mesh.config.mdns' }],
      },
    })
    expect(JSON.stringify(shown)).not.toContain('hush')
    expect(json('path')).toEqual({ code: 0, document: { file, exists: true } })
    expect(json('unset', ['tunnels.web'])).toMatchObject({ code: 0, document: { changed: true } })
  }, 60_000)

  it('validate tells every mistake on a line of its own, without a stack trace, with exit code 2', async () => {
    await writeFile(join(folder, 'beam.config.yaml'), 'tunnels:\n  - name: web\n    port: 70000\n    strategy: loadbalance\n')
    const mistakes = [
      'Error beam.config.yaml:3:11 tunnels.web.port: 70000 is not allowed; expected a whole number from 1 to 65535',
      'Error beam.config.yaml:4:15 tunnels.web.strategy: "loadbalance" is not allowed; did you mean "load-balance"? Allowed: priority, fallback, load-balance, multipath',
    ]
    expect(beam(['validate'])).toEqual({ code: 2, out: '', err: `${mistakes.join('\n')}\n` })
    const places = [
      { line: 3, column: 11 },
      { line: 4, column: 15 },
    ]
    expect(json('validate')).toMatchObject({ code: 2, document: { valid: false, problems: places } })
    const show = beam(['show'])
    expect(show.code).toBe(2)
    expect(show.err).toContain(mistakes[0])
    expect(show.err).not.toContain('    at ')
  }, 30_000)

  it('validate accepts what only warrants warnings', async () => {
    const file = join(ROOT, 'test/fixtures/config/multi-backend.yaml')
    const { code, document } = json('validate', ['--file', file])
    expect({ code, document }).toMatchObject({ code: 0, document: { valid: true, file, problems: [] } })
  })
})
