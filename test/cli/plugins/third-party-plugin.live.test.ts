import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildPackage, compile, link, ROOT, run } from '../../plugins/scaffold/built-package.ts'

/** Building Beam as it is packed, the example beside it, and the conformance suite in a process of its own. */
const LIMIT_MS = 400_000

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-p-'))
  await buildPackage(join(folder, 'beam'), 'all')
  await symlink(join(ROOT, 'node_modules'), join(folder, 'beam', 'node_modules'), 'junction')
}, LIMIT_MS)
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))

it(
  'a packed plugin is installed by the packed Beam, named in the configuration, and keeps its promises there',
  async () => {
    const project = join(folder, 'example')
    await cp(join(ROOT, 'examples/backends/typescript'), project, {
      recursive: true,
      filter: (path) => !/[/\\](node_modules|dist)$/.test(path),
    })
    await link(project, { 'beam-tunnel': join(folder, 'beam'), '@types/node': join(ROOT, 'node_modules/@types/node') })
    await compile(project)
    process.env['BEAM_HOME'] = join(folder, 'home')
    process.env['npm_config_offline'] = 'true'
    process.env['npm_config_cache'] = join(folder, 'npm-cache')
    const beam = (...args: string[]): Promise<string> =>
      run(process.execPath, [join(folder, 'beam/cli/bin/run.js'), ...args], folder, LIMIT_MS)
    const packed = JSON.parse(await run('npm', ['pack', '--json', '--silent', '--ignore-scripts'], project)) as { filename: string }[]
    await beam('config', 'init', '--file', join(folder, 'beam.config.yaml'))
    expect(await beam('plugins', 'add', join('example', packed[0]?.filename ?? ''), '--save')).toContain('beam.config.yaml')
    await rm(project, { recursive: true })
    expect(await readFile(join(folder, 'beam.config.yaml'), 'utf8')).toMatch(/^plugins: \[beam-backend-tin-can\]$/m)
    expect(await beam('backend', 'list')).toMatch(/^tin-can +installed .* beam-backend-tin-can$/m)
    const lines = (await beam('backend', 'test', 'tin-can', '--json')).trim().split('\n')
    const results = lines.map((line) => JSON.parse(line) as { event: string; result?: string; broken?: number; kept?: number })
    expect(results.filter(({ result }) => result === 'broken')).toEqual([])
    expect(results.at(-1)).toMatchObject({ event: 'report', broken: 0, faults: 0 })
    expect(results.at(-1)?.kept).toBeGreaterThan(40)
    await beam('plugins', 'remove', 'tin-can', '--save')
    expect(await beam('backend', 'list')).not.toContain('tin-can')
  },
  LIMIT_MS,
)
