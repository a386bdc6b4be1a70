import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseManifest } from '../../../plugins/manifest.ts'
import { ROOT, buildPackage, compile, link, run, runTests } from './built-package.ts'

/** Building Beam, and then the conformance suite in a process of its own. */
const LIMIT_MS = 240_000

/** A block of the document that is a file: its kind, its name, its text. */
const FILE_BLOCK = /^```(?:ts|json) (\S+)\n(.*?)^```$/gms

describe('a backend of a third party', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beam-third-'))
    await buildPackage(join(folder, 'beam'), 'core')
    await symlink(join(ROOT, 'node_modules'), join(folder, 'beam', 'node_modules'), 'junction')
  }, LIMIT_MS)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function compiled(project: string): Promise<void> {
    const modules = join(ROOT, 'node_modules')
    await link(project, { 'beam-tunnel': join(folder, 'beam'), '@types/node': join(modules, '@types/node') })
    await compile(project)
  }

  /** Passes all, among them most of the conformance suite. */
  async function passes(project: string): Promise<void> {
    const report = await runTests(project)
    expect(report).toMatch(/^# fail 0$/m)
    expect(Number(/^# pass (\d+)$/m.exec(report)?.[1])).toBeGreaterThan(50)
  }

  it(
    'in examples/backends/typescript compiles against the built package and passes its own tests',
    async () => {
      const project = join(folder, 'example')
      await cp(join(ROOT, 'examples/backends/typescript'), project, {
        recursive: true,
        filter: (path) => !/[/\\](node_modules|dist)$/.test(path),
      })
      await compiled(project)
      await passes(project)
    },
    LIMIT_MS,
  )

  it(
    'as docs/backend-development.md writes it compiles, passes its own tests and does what it says',
    async () => {
      const project = join(folder, 'document')
      const text = readFileSync(join(ROOT, 'docs/backend-development.md'), 'utf8')
      const files = [...text.matchAll(FILE_BLOCK)].map(([, name = '', content = '']) => [name, content] as const)
      expect(files.map(([name]) => name)).toContain('src/backend.ts')
      for (const [name, content] of files) {
        await mkdir(dirname(join(project, name)), { recursive: true })
        await writeFile(join(project, name), content)
      }
      expect(parseManifest(readFileSync(join(project, 'package.json'), 'utf8'), 'the document')).toMatchObject({ backend: 'knock' })
      await compiled(project)
      expect(await run(process.execPath, ['dist/test/demo.js'], project)).toBe('knock, knock\n')
      await passes(project)
    },
    LIMIT_MS,
  )
})
