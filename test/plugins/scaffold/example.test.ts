import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, buildPackage, compile, link, runTests } from './built-package.ts'

/** Building Beam, and then the conformance suite in a process of its own. */
const LIMIT_MS = 240_000

describe('examples/backends/typescript', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beam-example-'))
    await buildPackage(join(folder, 'beam'), 'core')
    await link(folder, { '../beam/node_modules': join(ROOT, 'node_modules') })
  }, LIMIT_MS)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it(
    'compiles against the built package and passes its own tests, the conformance suite among them',
    async () => {
      const project = join(folder, 'project')
      await cp(join(ROOT, 'examples/backends/typescript'), project, {
        recursive: true,
        filter: (path) => !/[/\\](node_modules|dist)$/.test(path),
      })
      const modules = join(ROOT, 'node_modules')
      await link(project, {
        'beam-tunnel': join(folder, 'beam'),
        typescript: join(modules, 'typescript'),
        '@types/node': join(modules, '@types/node'),
      })
      await compile(project)
      const report = await runTests(project)
      expect(report).toMatch(/^# fail 0$/m)
      expect(Number(/^# pass (\d+)$/m.exec(report)?.[1])).toBeGreaterThan(50)
    },
    LIMIT_MS,
  )
})
