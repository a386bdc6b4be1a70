import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { afterEach, describe, expect, it } from 'vitest'
import { exchange } from '../../../plugins/benchmark/exchange.ts'
import { flowDown } from '../../../plugins/benchmark/flow.ts'
import { LatencyLog } from '../../../plugins/benchmark/latency-log.ts'
import { openLoop, schedule } from '../../../plugins/benchmark/open-loop.ts'
import { Origin } from '../../../plugins/benchmark/origin.ts'
import { Payload } from '../../../plugins/benchmark/payload.ts'
import { parsePs, parsePsTime } from '../../../plugins/benchmark/ps.ts'
import { Tally } from '../../../plugins/benchmark/tally.ts'
import { verdictOf } from '../../../plugins/benchmark/verdict.ts'

const payload = new Payload()
const { signal } = new AbortController()
const servers: Server[] = []

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

describe('exchange()', () => {
  it('checks every byte', async () => {
    await using origin = await Origin.listen(payload)
    const common = { payload, bytes: 70_000, timeoutMs: 10_000, signal }
    expect(await exchange({ ...common, port: origin.port })).toMatchObject({ kind: 'done' })
    const forged = await listen(createHttpServer((_, response) => response.end(Buffer.alloc(70_000))))
    expect(await exchange({ ...common, port: forged })).toEqual({ kind: 'failed', reason: 'wrong bytes' })
    const short = await listen(createHttpServer((_, response) => response.end(payload.first(69_999))))
    expect(await exchange({ ...common, port: short })).toEqual({ kind: 'failed', reason: 'wrong bytes' })
  })

  it('tells a timeout, a reset and a signal apart', async () => {
    const silent = await listen(createServer(() => {}))
    const common = { payload, bytes: 1, timeoutMs: 30, signal }
    expect(await exchange({ ...common, port: silent })).toEqual({ kind: 'timeout' })
    const closing = await listen(createServer((socket) => socket.destroy()))
    expect(await exchange({ ...common, timeoutMs: 10_000, port: closing })).toEqual({ kind: 'failed', reason: 'ECONNRESET' })
    await expect(exchange({ ...common, port: silent, signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more')
  })
})

describe('openLoop()', () => {
  it('keeps its schedule whatever the answers do', () => {
    expect(schedule(4, 1_000)).toEqual([0, 250, 500, 750])
    expect(schedule(0.1, 1_000)).toEqual([0])
  })

  it('lets every request that falls into a stall pay for it', async () => {
    // One stall of 400 ms: of 20 requests at 20 a second, those of the first 400 ms all wait for its end.
    const started = performance.now()
    const stallsFor = (): number => Math.max(0, started + 400 - performance.now())
    const stalling = await listen(createHttpServer((_, response) => void setTimeout(() => response.end(payload.first(1)), stallsFor())))
    const latency = new LatencyLog()
    const tally = new Tally()
    await openLoop({ port: stalling, payload, ratePerSecond: 20, durationMs: 1_000, timeoutMs: 10_000, latency, tally, signal })
    expect(tally).toMatchObject({ attempted: 20, succeeded: 20 })
    // The first one alone would leave the 70th percentile at a millisecond.
    expect(latency.at(70)).toBeGreaterThan(40)
    expect(latency.at(100)).toBeGreaterThan(300)
  })

  it('counts a timeout with the whole limit', async () => {
    const silent = await listen(createServer(() => {}))
    const latency = new LatencyLog()
    const tally = new Tally()
    await openLoop({ port: silent, payload, ratePerSecond: 100, durationMs: 50, timeoutMs: 100, latency, tally, signal })
    expect(tally).toMatchObject({ attempted: 5, succeeded: 0, timeouts: 5 })
    expect(latency.at(0)).toBeGreaterThanOrEqual(99)
  })
})

describe('flowDown()', () => {
  it('gives nothing for a stream that breaks, and counts it', async () => {
    const breaking = await listen(createHttpServer((_, response) => response.write('x', () => response.destroy())))
    await using origin = await Origin.listen(payload)
    const tally = new Tally()
    expect(await flowDown({ port: breaking, origin, payload, durationMs: 50, timeoutMs: 5_000, tally, signal })).toBeUndefined()
    expect(tally).toMatchObject({ attempted: 1, succeeded: 0 })
    expect([...tally.failures.values()]).toEqual([1])
  })
})

describe('LatencyLog', () => {
  it('keeps the histogram so that runs can be merged, and no percentile that its samples do not give', () => {
    const log = new LatencyLog()
    for (let ms = 1; ms <= 100; ms += 1) log.record(ms)
    const distribution = log.distribution()
    expect(distribution).toMatchObject({ count: 100, minMs: 1 })
    expect(distribution?.p999Ms).toBeUndefined()
    expect(distribution?.p99Ms).toBeCloseTo(99, 0)
    expect(decodeFromCompressedBase64(distribution?.hdr ?? '').totalCount).toBe(100)
    expect(new LatencyLog().distribution()).toBeUndefined()
  })
})

describe('ps', () => {
  it('reads times of Linux and macOS', () => {
    expect(['00:01:02', '2-03:04:05', '1:02.50', '0:00.07'].map(parsePsTime)).toEqual([62, 183_845, 62.5, 0.07])
    expect(parsePsTime('later')).toBeNaN()
  })

  it('reads processes, also with spaces in their names, and passes over what is none', () => {
    const text = '  PID\n  12     1  2048 00:00:01 /usr/bin/node\n13 12 100 0:00.50 /Applications/My App/tor d\nwarning: x\n'
    expect(parsePs(text)).toEqual([
      { pid: 12, parent: 1, name: 'node', cpuSeconds: 1, residentKib: 2048 },
      { pid: 13, parent: 12, name: 'tor d', cpuSeconds: 0.5, residentKib: 100 },
    ])
  })
})

describe('verdictOf()', () => {
  it('lets nothing pass that was not measured', () => {
    const limits = { maxP99Ms: 100, minSuccess: 0.9 }
    expect(verdictOf([{ name: 'gone', warnings: [] }], limits)).toEqual({
      passed: false,
      checks: [
        { backend: 'gone', what: 'p99Ms', limit: 100, passed: false },
        { backend: 'gone', what: 'success', limit: 0.9, passed: false },
      ],
    })
    expect(verdictOf([{ name: 'gone', warnings: [] }], {})).toEqual({ passed: true, checks: [] })
  })
})
