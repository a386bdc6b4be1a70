import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { faulty, MemoryBackend } from '../../../core/testing/index.ts'
import { openBenchmark, type BenchmarkOptions, type BenchmarkProgress, type BenchmarkReport } from '../../../plugins/benchmark/index.ts'
import { memoryPlugin, temporaryPaths } from '../memory-plugin.ts'

const schema = JSON.parse(readFileSync(new URL('../../../schemas/benchmark.schema.json', import.meta.url), 'utf8')) as object

/** Runs a short comparison of memory networks; what it reports fits the schema. */
async function compare(options: Omit<BenchmarkOptions, 'home'>): Promise<BenchmarkReport> {
  await using paths = await temporaryPaths()
  await using benchmark = openBenchmark({ durationMs: 600, ratePerSecond: 100, timeoutMs: 5_000, ...options, home: paths.home })
  const report = await benchmark.run()
  const ajv = new Ajv2020({ strict: false })
  ajv.validate(schema, JSON.parse(JSON.stringify(report)))
  expect(ajv.errors ?? []).toEqual([])
  return report
}

describe('openBenchmark()', { timeout: 60_000 }, () => {
  it('measures networks and controls in interleaved rounds', async () => {
    const told: BenchmarkProgress[] = []
    const report = await compare({
      beam: { config: {}, plugins: [memoryPlugin()] },
      backends: ['memory'],
      onProgress: (one) => told.push(one),
    })
    expect(report).toMatchObject({ interrupted: false, settings: { rounds: 3, roundsDone: 3 }, verdict: { passed: true, checks: [] } })
    const rounds = told.flatMap((one) => (one.step === 'round' ? [one.subject] : []))
    expect(rounds).toEqual(['direct', 'proxy', 'memory', 'proxy', 'memory', 'direct', 'memory', 'direct', 'proxy'])
    const [memory] = report.backends
    expect(memory).toMatchObject({ name: 'memory', path: { hops: 0 }, hides: { publisherIpHidden: true } })
    const { publishedMs = 0, reachableMs = 0, firstByteMs = 0 } = memory?.setup ?? {}
    expect(publishedMs).toBeGreaterThan(0)
    expect(reachableMs).toBeGreaterThan(publishedMs)
    expect(firstByteMs).toBeGreaterThan(reachableMs)
    for (const { figures } of [...report.controls, ...report.backends]) {
      expect(figures).toMatchObject({ success: { share: 1, timeouts: 0, failures: {} } })
      expect(figures?.firstByte?.medians.values).toHaveLength(3)
      expect(figures?.transfers['5MiB']?.count).toBeGreaterThanOrEqual(3)
      expect(figures?.goodput.down?.median).toBeGreaterThan(1e6)
      expect(figures?.goodput.up?.median).toBeGreaterThan(1e6)
      expect(figures?.success.attempted).toBe(figures?.success.succeeded)
    }
  })

  it('counts what a faulty network loses, delays and cuts short, and judges it', async () => {
    const bad = memoryPlugin({
      name: 'bad',
      make: (name, network) => faulty(new MemoryBackend({ name, network }), { seed: 3, drop: 0.2, delayMs: 5, resetAfterBytes: 600_000 }),
    })
    const report = await compare({
      beam: { config: {}, plugins: [memoryPlugin(), bad] },
      backends: ['memory', 'bad'],
      minSuccess: 0.99,
    })
    const [memory, faultyOne] = report.backends
    expect(memory?.figures?.success.share).toBe(1)
    const { share = 1, failures = {}, interval = [] } = faultyOne?.figures?.success ?? {}
    expect(share).toBeLessThan(0.99)
    expect(interval[0]).toBeLessThan(share)
    expect(Object.keys(failures)).not.toEqual([])
    expect(faultyOne?.figures?.transfers['5MiB']).toBeUndefined()
    expect(faultyOne?.figures?.firstByte?.minMs).toBeGreaterThanOrEqual(5)
    expect(report.verdict.passed).toBe(false)
    expect(report.verdict.checks.filter(({ passed }) => !passed).map(({ backend, what }) => `${backend} ${what}`)).toEqual(['bad success'])
  })

  it('has a row for a network that cannot run, which says why', async () => {
    const broken = memoryPlugin({
      name: 'bad',
      make: (name, network) => faulty(new MemoryBackend({ name, network }), { failInitialize: true }),
    })
    const report = await compare({
      beam: { config: {}, plugins: [memoryPlugin(), broken] },
      backends: ['bad', 'nym', 'memory'],
      minSuccess: 0.5,
      setupLimitMs: 20_000,
    })
    const [bad, nym, memory] = report.backends
    expect(bad).toMatchObject({
      problem: { code: 'BEAM_ERR_BACKEND_UNAVAILABLE', message: expect.stringContaining('on purpose') as string },
    })
    expect(nym?.problem?.message).toContain('nym')
    expect(bad?.figures).toBeUndefined()
    expect(memory?.figures?.success.share).toBe(1)
    expect(report.verdict.checks.map(({ passed }) => passed)).toEqual([false, false, true])
  })

  it('takes the settings of a network that is not declared from the environment', async () => {
    const report = await compare({ beam: { config: { backends: [{ name: 'memory' }] }, plugins: [memoryPlugin()] }, backends: ['mesh'] })
    // Neither the DHT nor the local network is told of: the environment of tests turns both off.
    expect(report.backends[0]?.hides?.publisherReveals).toEqual(['Visitors see your IP address.'])
  })

  it('refuses a name that nobody knows, and fewer than three rounds', async () => {
    await expect(compare({ beam: { config: {} }, backends: ['memroy'] })).rejects.toMatchObject({ code: 'BEAM_ERR_BACKEND_UNKNOWN' })
    await expect(compare({ rounds: 2 })).rejects.toMatchObject({ kind: 'config' })
  })

  it('ends at a signal and reports what it had', async () => {
    const controller = new AbortController()
    const report = await compare({
      beam: { config: {}, plugins: [memoryPlugin()] },
      backends: ['memory'],
      durationMs: 3_000,
      signal: controller.signal,
      onProgress: (one) => {
        if (one.step === 'round' && one.subject === 'memory') setTimeout(() => controller.abort(), 100)
      },
    })
    expect(report).toMatchObject({ interrupted: true, settings: { roundsDone: 0 } })
    expect(report.backends[0]?.figures?.firstByte?.count).toBeGreaterThan(0)
    expect(report.controls[0]?.figures.requests?.count).toBeGreaterThan(0)
  })

  it('ends a set-up that takes too long, and says how far it was', async () => {
    const stuck = memoryPlugin({
      name: 'bad',
      make: (name, network) => faulty(new MemoryBackend({ name, network }), { drop: 1 }),
    })
    const report = await compare({ beam: { config: {}, plugins: [stuck] }, backends: ['bad'], setupLimitMs: 1_500 })
    expect(report.backends[0]).toMatchObject({ problem: { code: 'BEAM_ERR_TIMEOUT' } })
    expect(report.backends[0]?.setup?.addressMs).toBeGreaterThan(0)
    expect(report.backends[0]?.setup?.reachableMs).toBeUndefined()
  })
})
