import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  MemoryBackend,
  PROMISE_IDS,
  runConformance,
  testBackend,
  type Measurements,
  type PromiseResult,
} from '../../../core/testing/index.ts'

const testing = new URL('../../../core/testing/index.ts', import.meta.url).href
const tsx = import.meta.resolve('tsx')

interface Run {
  readonly exitCode: number | null
  readonly output: string
}

/** Runs the suite under node:test in a process of its own, on a backend that is made by this expression. */
async function underNodeTest(create: string): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'beam-node-test-'))
  try {
    const file = join(folder, 'suite.mjs')
    await writeFile(
      file,
      `import { describe, it } from 'node:test'
       import { testBackend, MemoryBackend } from ${JSON.stringify(testing)}
       testBackend({ describe, it }, { name: 'memory', create: () => ${create}, sizes: { resets: 20, bulkBytes: 262144 }, timeScale: 0.3 })`,
    )
    return await run(['--import', tsx, '--test-reporter', 'tap', file])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function run(args: readonly string[]): Promise<Run> {
  // A test runner inside a test runner would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, output }))
  })
}

describe('under node:test', () => {
  it('passes, with a reason for each skipped promise', { timeout: 60_000 }, async () => {
    const { exitCode, output } = await underNodeTest('new MemoryBackend()')
    expect(output).toMatch(/^# fail 0$/m)
    expect(output).toMatch(/^# pass 60$/m)
    expect(output).toMatch(/^# skipped 8$/m)
    expect(output).toContain('site-published: Every file of a published site is found unchanged. # SKIP the backend publishes no sites')
    expect(exitCode).toBe(0)
  })

  it('fails for a backend that breaks a promise', { timeout: 60_000 }, async () => {
    const { exitCode, output } = await underNodeTest(`Object.assign(new MemoryBackend(), { canDial: () => true })`)
    expect(output.match(/^ +not ok .*$/gm)?.filter((line) => line.includes(': '))).toEqual([expect.stringContaining('can-dial: ')])
    expect(exitCode).toBe(1)
  })
})

describe('with any runner', () => {
  it('declares one test for each promise, and one that measures', () => {
    const names: string[] = []
    testBackend({ describe: (_, body) => body(), it: (name) => names.push(name) }, { name: 'memory', create: () => new MemoryBackend() })
    expect(names.map((name) => name.split(':')[0])).toEqual([...PROMISE_IDS, 'latency and throughput are measured'])
  })

  it('tells the measured figures, and disposes of a reused pair at the end', { timeout: 30_000 }, async () => {
    const bodies: Array<() => Promise<void>> = []
    const skips: string[] = []
    const measured: Measurements[] = []
    const made: MemoryBackend[] = []
    const create = (): MemoryBackend => (made.push(new MemoryBackend()), made.at(-1) as MemoryBackend)
    testBackend(
      {
        describe: (_, body) => body(),
        it: (name, body) =>
          /^(echo|isolation|site-abort|latency)/.test(name) && bodies.push(() => body({ skip: (reason) => skips.push(reason) })),
      },
      { name: 'memory', create, reuse: true, cannot: { isolation: 'it is one process' }, onMeasured: (figures) => measured.push(figures) },
    )
    for (const body of bodies) await body()
    expect(skips).toEqual(['it is one process', 'the backend publishes no sites'])
    expect(made).toHaveLength(1)
    expect((await made[0]?.getStatus())?.state).toBe('stopped')
    expect(measured[0]?.latency.connect.count).toBe(20)
    expect(measured[0]?.latency.roundTrip.p50Ms).toBeGreaterThan(0)
    expect(measured[0]?.throughput.downloadBytesPerSecond).toBeGreaterThan(0)
  })
})

describe('runConformance()', () => {
  it('reports every promise as it comes, with reliability, latency and throughput', { timeout: 60_000 }, async () => {
    const heard: PromiseResult[] = []
    const report = await runConformance(
      { name: 'memory', create: () => new MemoryBackend(), sizes: { resets: 20, bulkBytes: 262_144, sequential: 7 }, timeScale: 0.3 },
      { onResult: (result) => heard.push(result) },
    )
    expect(report.promises).toEqual(heard)
    expect(report.promises.map(({ id }) => id)).toEqual(PROMISE_IDS)
    expect(report.promises.filter(({ result, reason }) => result === 'skipped' && (reason ?? '') === '')).toEqual([])
    expect(report.reliability).toEqual({ attempted: 7, succeeded: 7 })
    expect(report.latency?.roundTrip.count).toBe(100)
    expect(report.throughput?.uploadBytesPerSecond).toBeGreaterThan(0)
  })

  it('says what was seen when a promise is broken', async () => {
    const create = (): MemoryBackend => Object.assign(new MemoryBackend(), { canDial: () => true })
    const { promises } = await runConformance({ name: 'memory', create }, { only: ['can-dial'] })
    expect(promises).toEqual([
      expect.objectContaining({ id: 'can-dial', result: 'broken', reason: 'canDial says yes to ""', error: expect.any(Error) }),
    ])
  })

  it('ends with the reason of its signal', async () => {
    const reason = new Error('enough')
    const running = runConformance({ name: 'memory', create: () => new MemoryBackend() }, { signal: AbortSignal.abort(reason) })
    await expect(running).rejects.toBe(reason)
  })

  it('gives up a case that hangs, and goes on', async () => {
    const create = (): MemoryBackend => Object.assign(new MemoryBackend(), { reach: () => new Promise<never>(() => {}) })
    const { promises } = await runConformance({ name: 'memory', create, timeScale: 0.02 }, { only: ['reach-path', 'dial-abort-before'] })
    expect(promises.map(({ result, reason }) => [result, reason])).toEqual([
      ['broken', 'The case took longer than 0.3 s.'],
      ['kept', undefined],
    ])
  })
})
