import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../core/index.ts'
import { testBackend } from '../../../core/testing/index.ts'
import { executableBackend, type ExecutableOptions } from '../../../plugins/executable/index.ts'

const home = mkdtempSync(join(tmpdir(), 'beam-examples-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const folderOf = (language: string): string => fileURLToPath(new URL(`../../../examples/backends/${language}/`, import.meta.url))
const optionsOf = (language: string): ExecutableOptions =>
  JSON.parse(readFileSync(join(folderOf(language), 'beam-backend.json'), 'utf8')) as ExecutableOptions

/** Whether the program answers. */
function found(program: string, argument: string): boolean {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The conformance suite for one example; without its toolchain one skipped test that says so. */
function testExample(language: string, toolchain: string | undefined, options: ExecutableOptions): void {
  if (toolchain !== undefined) {
    it(`the example in ${language}`, ({ skip }) => skip(`${toolchain} is not installed`))
    return
  }
  const create = (end: string) => () => {
    const folder = join(home, language, end)
    const paths = { config: folder, data: join(folder, 'data'), state: join(folder, 'state'), runtime: folder }
    return executableBackend(options, { logger: silentLogger, clock: systemClock, paths })
  }
  testBackend({ describe, it }, { name: `the example in ${language}`, create: create('publisher'), pair: create('visitor') })
}

const python = found('python3', '--version')
testExample('python', python ? undefined : 'python3', { ...optionsOf('python'), cwd: folderOf('python') })

const go = found('go', 'version')
if (go) {
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' }
  execFileSync('go', ['build', '-o', join(home, 'go-loop'), '.'], { cwd: folderOf('go'), env, stdio: ['ignore', 'ignore', 'inherit'] })
}
testExample('go', go ? undefined : 'go', { ...optionsOf('go'), cwd: home })

describe('the examples in other languages', () => {
  it('say what they are: networks for learning on one machine, which hide nothing', () => {
    for (const language of ['python', 'go']) {
      expect(optionsOf(language).capabilities).toMatchObject({ anonymityLevel: 'none', exposesPublisherIp: true, exposesVisitorIp: true })
      expect(optionsOf(language).name).toMatch(/-loop$/)
    }
  })
})
