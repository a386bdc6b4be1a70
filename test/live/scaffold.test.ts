import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBackendProject } from '../../plugins/scaffold/index.ts'
import { npm } from '../check/npm.ts'
import { ROOT, buildPackage, run } from '../plugins/scaffold/built-package.ts'

/** Packing, installing from a registry or npm's cache, compiling, and the conformance suite. */
const LIMIT_MS = 600_000

/** npm in a folder, quietly, with scripts of other packages left out. */
function runNpm(folder: string, ...args: readonly string[]): Promise<string> {
  const [program, words] = npm(...args)
  return run(program, words, folder, LIMIT_MS)
}

const INSTALL = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

describe('a new backend project, installed by npm', () => {
  const folders: string[] = []
  const own = join(ROOT, 'test', '.tmp')

  async function newFolder(parent: string): Promise<string> {
    await mkdir(parent, { recursive: true })
    const folder = await mkdtemp(join(parent, 'scaffold-'))
    folders.push(folder)
    return folder
  }

  beforeEach(() => {
    if (!existsSync(join(ROOT, 'dist/core/index.js'))) throw new Error('the package is not built: npm run build')
  })
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
  })

  it(
    'passes its own tests against the packed package, outside this repository',
    async () => {
      const folder = await newFolder(tmpdir())
      await buildPackage(join(folder, 'package'), 'all')
      await runNpm(join(folder, 'package'), 'pack', '--ignore-scripts', '--pack-destination', folder)
      const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
      const directory = join(folder, 'project')
      await createBackendProject({ directory, name: 'my-net', language: 'typescript', beam: `file:../${tarball}` })
      await runNpm(directory, ...INSTALL)
      const report = await runNpm(directory, 'test')
      expect(report).toMatch(/fail 0$/m)
      expect(report).toContain('my-net keeps the contract of NetworkBackend')
    },
    LIMIT_MS,
  )

  it(
    'passes its own tests against this repository, inside it',
    async () => {
      const directory = join(await newFolder(own), 'project')
      await createBackendProject({ directory, name: 'my-net', language: 'typescript' })
      await runNpm(directory, ...INSTALL)
      const report = await runNpm(directory, 'test')
      expect(report).toMatch(/fail 0$/m)
      expect(report).toContain('my-net keeps the contract of NetworkBackend')
    },
    LIMIT_MS,
  )
})
