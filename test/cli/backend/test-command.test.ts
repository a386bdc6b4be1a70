import { execFileSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pluginCode, writePackage } from '../../plugins/plugin-package.ts'
import { BeamProcess, temporaryFolder, type Outcome } from '../beam-process.ts'
import { expectSchema } from './expect-schema.ts'

/** The whole suite through processes of its own, beside other tests. */
const SUITE_LIMIT_MS = 240_000
const PYTHON = fileURLToPath(new URL('../../../examples/backends/python/py_loop.py', import.meta.url))

interface Line {
  readonly event: string
  readonly id?: string
  readonly result?: string
  readonly reason?: string
}

function lines(stdout: string): Line[] {
  const all = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
  for (const line of all) expectSchema('backend-test', line)
  return all
}

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  await mkdir(join(folder.path, 'tmp'))
  await writePackage(join(folder.path, 'tin'), { 'index.mjs': pluginCode('tin') })
  const over =
    'async initialize() { setInterval(() => { throw new Error("tick") }, 5); await new Promise((done) => setTimeout(done, 60)) },'
  await writePackage(join(folder.path, 'ticking'), { 'index.mjs': pluginCode('ticking', { over }) })
  const backends = [{ name: 'mesh' }, { name: 'py-loop', enabled: false, command: ['python3', PYTHON] }]
  await writeFile(join(folder.path, 'beam.config.yaml'), JSON.stringify({ backends }), { mode: 0o600 })
})
afterAll(() => folder[Symbol.asyncDispose]())

/** Where temporary folders go, so that what is left there is seen. */
const env = (): NodeJS.ProcessEnv => ({ TMPDIR: join(folder.path, 'tmp') })

async function ended(args: readonly string[]): Promise<Outcome> {
  const process = new BeamProcess(['backend', 'test', ...args], { folder: folder.path, env: env() })
  process.child.stdin.end()
  return process.ended
}

describe('beam backend test', () => {
  it('finds the mesh keeping its promises on this machine alone, and measures it', { timeout: SUITE_LIMIT_MS }, async () => {
    const { code, stdout } = await ended(['mesh', '--json'])
    const all = lines(stdout)
    expect(all.filter(({ result }) => result === 'broken')).toEqual([])
    expect(code).toBe(0)
    expect(all[0]).toMatchObject({ event: 'begin', backend: 'mesh', network: false })
    expect((all[0] as unknown as { local: object[] }).local).toContainEqual({ path: 'mdns', value: 'off' })
    expect(all.filter(({ event }) => event === 'promise').length).toBeGreaterThan(60)
    expect(all.at(-1)).toMatchObject({ event: 'report', broken: 0, faults: 0, interrupted: false, latency: { roundTrip: { count: 100 } } })
    expect(await readdir(join(folder.path, 'tmp'))).toEqual([])
  })

  it('says of a plugin’s folder which promises are broken, and why, with exit code 1', async () => {
    const { code, stdout, stderr } = await ended(['./tin', '--only', 'initialize-twice,initialize-abort,domain-unsupported'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toContain('Testing tin as it is configured: its schema states no settings')
    expect(stdout).toMatch(/^ {2}kept {5}Repeating initialize is harmless\. \[initialize-twice\]$/m)
    expect(stdout).toMatch(/^ {2}broken {3}initialize rejects/m)
    expect(stdout).toMatch(/^- initialize-abort: it resolved although its signal had fired$/m)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('counts what is thrown where nobody could catch it', async () => {
    const { code, stdout } = await ended(['./ticking', '--only', 'initialize-twice', '--json'])
    const all = lines(stdout)
    expect(code).toBe(1)
    expect(all).toContainEqual({ event: 'fault', reason: 'tick' })
    expect(all.find(({ id }) => id === 'initialize-twice')?.result).toBe('kept')
  })

  it('tests an executable of the configuration', { timeout: SUITE_LIMIT_MS }, async ({ skip }) => {
    if (!hasPython()) skip('python3 is not installed')
    const { code, stdout } = await ended([
      'py-loop',
      '--json',
      '--only',
      'capabilities-constant,capabilities-no-io,echo,dispose-leaves-nothing',
    ])
    expect(code).toBe(0)
    expect(lines(stdout).flatMap(({ result }) => result ?? [])).toEqual(['kept', 'kept', 'skipped', 'kept'])
  })

  it('ends in order with Ctrl-C, which is no pass', async () => {
    await using process = new BeamProcess(['backend', 'test', 'mesh', '--json'], { folder: folder.path, env: env() })
    await process.event('promise', 3)
    const { code, signal, stdout, stderr } = await process.stop()
    expect({ code, signal, stderr }).toEqual({ code: 1, signal: null, stderr: '' })
    expect(lines(stdout).at(-1)).toMatchObject({ event: 'report', interrupted: true })
    expect(await readdir(join(folder.path, 'tmp'))).toEqual([])
  })

  it.each([
    [['msh'], 2, 'did you mean "mesh"?'],
    [['nym'], 1, 'BEAM_ERR_BACKEND_NOT_INSTALLED'],
    [['./nowhere'], 2, 'does not exist'],
    [['mesh', '--only', 'ecko'], 2, 'Did you mean echo?'],
    [['mesh', '--time-scale', '0'], 2, 'time-scale'],
  ])('refuses %j', async (args, exitCode, message) => {
    const { code, stderr } = await ended(args)
    expect(stderr).toContain(message)
    expect(code).toBe(exitCode)
  })
})
