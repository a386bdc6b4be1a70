import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cruise, unseen, type Cruise } from './cruise.ts'

/** One violation of each rule, in a tree as small as they fit into. */
const BAD: Readonly<Record<string, string>> = {
  'core/index.ts': `import './cycle-a.ts'\nimport '../backends/one/index.ts'\nimport 'lodash'\nexport const core = 1\n`,
  'core/cycle-a.ts': `import './cycle-b.ts'\nexport const a = 1\n`,
  'core/cycle-b.ts': `import type { a } from './cycle-a.ts'\nexport type B = typeof a\n`,
  'backends/one/index.ts': `import '../two/index.ts'\nimport '../_shared/socks/index.ts'\nimport '../../config/index.ts'\nexport const one = 1\n`,
  'backends/one/inner.ts': `export const inner = 1\n`,
  'backends/two/index.ts': `import 'tsyringe'\nexport const two = 1\n`,
  'backends/_shared/socks/index.ts': `export const socks = 1\n`,
  'config/index.ts': `import '../cli/index.ts'\nexport const config = 1\n`,
  'cli/index.ts': `import '../backends/one/inner.ts'\nexport const cli = 1\n`,
  'plugins/builtins.ts': `import '../backends/two/index.ts'\nexport const load = () => import('../backends/one/index.ts')\n`,
  'plugins/orphan.ts': `export const orphan = 1\n`,
}

/** The same house, in order. */
const GOOD: Readonly<Record<string, string>> = {
  'core/index.ts': `import 'cborg'\nimport 'node:fs'\nexport const core = 1\n`,
  'backends/one/index.ts': `import '../../core/index.ts'\nimport '../_shared/socks/index.ts'\nexport const one = 1\n`,
  'backends/_shared/socks/index.ts': `import '../../../core/index.ts'\nexport const socks = 1\n`,
  'config/index.ts': `import '../core/index.ts'\nexport const config = 1\n`,
  'plugins/builtins.ts': `import 'tsyringe'\nimport '../config/index.ts'\nexport const load = () => import('../backends/one/index.ts')\n`,
  'cli/index.ts': `import '../plugins/builtins.ts'\nimport './command.ts'\nexport const cli = 1\n`,
  'cli/command.ts': `export const everyCommand = () => import('./index.ts')\n`,
}

const expected: ReadonlyArray<readonly [rule: string, from: string, to: string]> = [
  ['no-cycles', 'core/cycle-a.ts', 'core/cycle-b.ts'],
  ['core-imports-nobody', 'core/index.ts', 'backends/one/index.ts'],
  ['core-stays-light', 'core/index.ts', 'node_modules/lodash/index.js'],
  ['backends-import-only-core', 'backends/one/index.ts', 'config/index.ts'],
  ['backends-are-strangers', 'backends/one/index.ts', 'backends/two/index.ts'],
  ['config-imports-only-core', 'config/index.ts', 'cli/index.ts'],
  ['nobody-imports-cli', 'config/index.ts', 'cli/index.ts'],
  ['backends-by-the-front-door', 'cli/index.ts', 'backends/one/inner.ts'],
  ['only-builtins-names-backends', 'cli/index.ts', 'backends/one/inner.ts'],
  ['builtins-load-lazily', 'plugins/builtins.ts', 'backends/two/index.ts'],
  ['di-stays-in-plugins', 'backends/two/index.ts', 'node_modules/tsyringe/index.js'],
  ['no-orphans', 'plugins/orphan.ts', 'plugins/orphan.ts'],
]

const folders: string[] = []

async function plant(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'beam-layers-'))
  folders.push(root)
  const packages = ['lodash', 'cborg', 'tsyringe'].flatMap((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`node_modules/${name}/index.js`, 'module.exports = {}\n'],
  ])
  const own = { 'package.json': '{"type":"module"}', 'tsconfig.json': '{"compilerOptions":{"module":"NodeNext"},"include":["**/*.ts"]}' }
  for (const [name, text] of [...packages, ...Object.entries(own), ...Object.entries(files)] as Array<[string, string]>) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return root
}

describe('the layer rules', () => {
  let root: string
  let bad: Cruise

  beforeAll(async () => {
    root = await plant(BAD)
    bad = cruise(root)
  })
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

  it.each(expected)('%s fires', (rule, from, to) => {
    expect(bad.violations).toContainEqual({ rule, from, to })
  })

  it('are all in the table above', () => {
    expect(expected.map(([rule]) => rule).toSorted()).toEqual(bad.rules.toSorted())
  })

  it('let an orderly tree pass, with what two backends share', async () => {
    const good = await plant(GOOD)
    const result = cruise(good)
    expect(result.violations).toEqual([])
    expect(unseen(result, good)).toEqual([])
  })

  it('count a file that was not looked at', () => {
    expect(unseen({ modules: bad.modules.slice(1) }, root)).toEqual([bad.modules[0]?.source])
    expect(unseen({ modules: [] }, root)).toHaveLength(Object.keys(BAD).length)
  })
})
