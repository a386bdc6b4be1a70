import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { formatProblem, InvalidConfigError, loadConfig, type LoadOptions } from '../../config/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'

/** A folder for each test, and a project deep in it. */
export let root: string
export let inner: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'beam-config-'))
  inner = join(root, 'project/src/deep')
  await mkdir(inner, { recursive: true })
  await mkdir(join(root, 'user'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** The configuration that counts in the project's folder. */
export const load = (options: LoadOptions = {}) =>
  loadConfig({ ...exampleCatalogue, cwd: inner, paths: { config: join(root, 'user') }, env: {}, stopDir: root, ...options })
/** The error of a configuration that is refused. */
export const failure = async (options: LoadOptions = {}): Promise<InvalidConfigError> => {
  const error: unknown = await load(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(InvalidConfigError)
  return error as InvalidConfigError
}
export const texts = (problems: readonly { path: string; message: string }[]): string[] => problems.map(formatProblem)
