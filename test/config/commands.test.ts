import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
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

describe('beam config', () => {
  it('init, set, get, show, path and unset work on one file', async () => {
    const file = join(folder, 'beam.config.yaml')
    expect(JSON.parse(beam(['init', '--json']).out)).toEqual({ file })
    expect(beam(['init']).code).toBe(2)
    expect(beam(['set', 'tunnels.web.port', '3000']).code).toBe(0)
    expect(JSON.parse(beam(['set', 'tunnels.web.access.secret', 'hush', '--json']).out)).toEqual({
      file,
      path: 'tunnels.web.access.secret',
      after: '(hidden)',
      changed: true,
      warnings: [],
    })
    expect(await readFile(file, 'utf8')).toContain('\n  - name: web\n    port: 3000\n    access:\n      secret: hush\n')
    expect(beam(['get', 'tunnels.web.port'])).toMatchObject({ code: 0, out: '3000\n', err: '' })
    expect(beam(['get', 'tunnels.web.domain'])).toMatchObject({ code: 1, out: '', err: 'tunnels.web.domain is not set.\n' })
    const shown = beam(['show', '--json'], { BEAM_P2P_MDNS: 'off' })
    expect(JSON.parse(shown.out)).toMatchObject({
      file,
      config: { backends: [{ name: 'mesh', config: { mdns: 'off' } }], tunnels: [{ name: 'web', access: { secret: '(hidden)' } }] },
      overrides: [{ variable: 'BEAM_P2P_MDNS', path: 'backends.mesh.config.mdns' }],
    })
    expect(shown.out).not.toContain('hush')
    expect(beam(['path'])).toMatchObject({ code: 0, out: `${file}\n` })
    expect(JSON.parse(beam(['unset', 'tunnels.web', '--json']).out)).toMatchObject({ changed: true })
  }, 60_000)

  it('validate tells every mistake on a line of its own, without a stack trace, with exit code 2', async () => {
    await writeFile(join(folder, 'beam.config.yaml'), 'tunnels:\n  - name: web\n    port: 70000\n    strategy: loadbalance\n')
    const places = ['beam.config.yaml:3:11 tunnels.web.port: 70000 is', 'beam.config.yaml:4:15 tunnels.web.strategy: "loadbalance" is']
    const { code, out, err } = beam(['validate'])
    expect({
      code,
      out,
      lines: err
        .trimEnd()
        .split('\n')
        .map((line, index) => line.startsWith(`Error ${places[index]}`)),
    }).toEqual({ code: 2, out: '', lines: [true, true] })
    const json = beam(['validate', '--json'])
    expect({ code: json.code, ...(JSON.parse(json.out) as object) }).toMatchObject({
      code: 2,
      valid: false,
      problems: [
        { line: 3, column: 11 },
        { line: 4, column: 15 },
      ],
    })
    const show = beam(['show'])
    expect(show.code).toBe(2)
    expect(show.err).toContain(places[0])
    expect(show.err).not.toContain('    at ')
  }, 30_000)

  it('validate accepts what only warrants warnings', async () => {
    const file = join(ROOT, 'test/fixtures/config/multi-backend.yaml')
    const { code, out, err } = beam(['validate', '--file', file])
    expect({ code, out }).toEqual({ code: 0, out: `${file} is valid.\n` })
    expect(err.match(/^Warning .*multi-backend\.yaml:\d+:\d+ backends\..*not installed$/gm)?.length).toBe(err.trimEnd().split('\n').length)
  })
})
