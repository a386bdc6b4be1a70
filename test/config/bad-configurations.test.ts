import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InvalidConfigError, loadConfig } from '../../config/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/config/bad')
const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'))

/** Every file gives exactly the message that stands in the file beside it (same name, .txt). */
describe('a bad configuration', () => {
  it.each(files)('%s', async (name) => {
    const error: unknown = await loadConfig({ ...exampleCatalogue, cwd: FOLDER, file: name, env: {} }).then(
      () => 'it was accepted',
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(InvalidConfigError)
    const { message, kind, problems } = error as InvalidConfigError
    const expected = await readFile(join(FOLDER, name.replace(/\.yaml$/, '.txt')), 'utf8')
    expect(`${message}\n`).toBe(expected)
    expect(kind).toBe('config')
    expect(problems.length).toBe(expected.trimEnd().split('\n').length)
  })
})
