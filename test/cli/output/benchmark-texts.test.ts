import { describe, expect, it } from 'vitest'
import { benchmarkCsv } from '../../../cli/output/benchmark-csv.ts'
import { digits, timeText } from '../../../cli/output/benchmark-figures.ts'
import { benchmarkHtml } from '../../../cli/output/benchmark-html.ts'
import { plotsOf } from '../../../cli/output/benchmark-plots.ts'
import { benchmarkText } from '../../../cli/output/benchmark-text.ts'
import { colours } from '../../../cli/output/colours.ts'
import { LatencyLog } from '../../../plugins/benchmark/latency-log.ts'
import type { BenchmarkFigures, BenchmarkLatency, BenchmarkReport } from '../../../plugins/benchmark/index.ts'

function latency(...values: number[]): BenchmarkLatency {
  const log = new LatencyLog()
  for (const value of values) log.record(value)
  const distribution = log.distribution()
  if (distribution === undefined) throw new Error('no values')
  return { ...distribution, medians: { median: distribution.p50Ms, min: 1, max: 9, values: [1, 9] } }
}

const figures: BenchmarkFigures = {
  success: { attempted: 1_000, succeeded: 999, timeouts: 1, failures: {}, share: 0.999, interval: [0.99, 1] },
  requests: latency(...Array.from({ length: 50 }, (_, at) => at + 1)),
  transfers: {},
  goodput: { down: { median: 2e6, min: 1e6, max: 3e6, values: [1e6, 2e6, 3e6] } },
  cost: { processes: [], notMeasurable: 'Nothing can be seen.' },
}

/** What a plugin that means no good calls itself and says. */
const NASTY = '</script><script>alert(1)</script>\u001b[2J'

const report: BenchmarkReport = {
  schema: 'beam.bench/1',
  interrupted: true,
  environment: {
    date: '2026-01-01',
    beam: '0',
    node: 'v20',
    system: 'Linux',
    cpu: 'x',
    cores: 2,
    memoryGib: 1,
    loadBefore: 0,
    loadAfter: 0,
  },
  settings: { durationMs: 60_000, rounds: 3, roundsDone: 1, ratePerSecond: 10, timeoutMs: 60_000 },
  controls: [{ name: 'direct', figures }],
  backends: [
    { name: 'good', figures, warnings: [] },
    { name: 'bad', problem: { code: 'X', message: NASTY }, warnings: [NASTY] },
    { name: '=sum', warnings: [] },
  ],
  notes: [],
  verdict: { passed: true, checks: [] },
}

describe('the report of a benchmark', () => {
  it('as text says what is missing and why, and lets no control characters through', () => {
    const text = benchmarkText(report, 80, colours({ isTTY: false }))
    expect(text).toContain('1 of 3 rounds')
    expect(text).toContain('Ended before its time')
    expect(text).toContain('2.00 MB/s ±50%')
    expect(text).toMatch(/99\.9% of 1000,\s+-\s+-\n +1 late/)
    expect(text).toContain('Its turn did not come.')
    expect(text).toContain('Nothing can be seen.')
    expect(text).not.toContain('\u001b')
  })

  it('as CSV quotes what needs it and gives spreadsheets no formula', () => {
    const lines = benchmarkCsv(report).split('\r\n')
    expect(lines).toContain("'=sum,network,,,,,,,its turn did not come")
    expect(lines.some((line) => /^good,network,requests-p50,ms,25[.\d]*,1,9,50,$/.test(line))).toBe(true)
    expect(lines).toContain('good,network,success,share,0.999,0.99,1,1000,')
  })

  it('as HTML runs nothing that others wrote', async () => {
    const html = await benchmarkHtml(report)
    expect(html).not.toContain('<script>alert')
    expect(html.match(/<script/g)).toHaveLength(3)
  })

  it('as plots ends a curve where its samples end', () => {
    const [requests] = plotsOf([{ name: 'good', kind: 'network', figures }])
    // 50 samples say nothing about the best 1 %.
    expect(requests?.data[1]?.map((value) => value !== null)).toEqual([true, true, true, true, true, true, true, false, false])
    expect(plotsOf([{ name: 'good', kind: 'network' }])).toEqual([])
  })

  it('has three digits', () => {
    expect([0, 0.0123, 1.234, 56.78, 999.6, 1e-9].map(digits)).toEqual(['0', '0.0123', '1.23', '56.8', '1000', '0.000'])
    expect([undefined, 0.5, 999, 61_500].map(timeText)).toEqual(['-', '0.5 ms', '999 ms', '61.5 s'])
  })
})
