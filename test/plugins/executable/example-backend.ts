import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../core/index.ts'
import { testBackend } from '../../../core/testing/index.ts'
import { executableBackend, type ExecutableOptions } from '../../../plugins/executable/index.ts'
import { testHandOver } from './hand-over.ts'

/** An example in another language. */
export interface ExampleBackend {
  /** Its folder below examples/backends. */
  readonly language: string
  /** The program without which it cannot run, and an argument at which that program answers. */
  readonly toolchain: readonly [program: string, argument: string]
  /** Makes it ready and says where it is to be started; `home` is a throw-away folder. */
  prepare(source: string, home: string): string
}

function answers([program, argument]: readonly [string, string]): boolean {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Declares the tests of one example, the conformance suite among them; without its toolchain one skipped test says so. */
export function testExampleBackend({ language, toolchain, prepare }: ExampleBackend): void {
  if (!answers(toolchain)) {
    it(`the example in ${language}`, ({ skip }) => skip(`${toolchain[0]} is not installed`))
    return
  }
  const home = mkdtempSync(join(tmpdir(), 'beam-example-'))
  afterAll(() => rmSync(home, { recursive: true, force: true }))
  const source = fileURLToPath(new URL(`../../../examples/backends/${language}/`, import.meta.url))
  const stated = JSON.parse(readFileSync(join(source, 'beam-backend.json'), 'utf8')) as ExecutableOptions
  const options = { ...stated, cwd: prepare(source, home) }
  const create = (end: string) => () => {
    const folder = join(home, end)
    const paths = { config: folder, data: join(folder, 'data'), state: join(folder, 'state'), runtime: folder }
    return executableBackend(options, { logger: silentLogger, clock: systemClock, paths })
  }

  // Every stream goes through two processes more than on loopback alone, which share the processors with the tests beside.
  const timeScale = 3
  testBackend({ describe, it }, { name: `the example in ${language}`, create: create('publisher'), pair: create('visitor'), timeScale })
  testHandOver(options, home)

  it('says what it is: a network for learning on one machine, which hides nothing', () => {
    expect(options.name).toMatch(/-loop$/)
    expect(options.capabilities).toMatchObject({ anonymityLevel: 'none', exposesPublisherIp: true, exposesVisitorIp: true })
  })
}
