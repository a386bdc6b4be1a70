import { describe, expect, it } from 'vitest'
import { STREAM_PATH, type RangePathOptions } from '../../../../core/streams/ranges/range-path.ts'
import { simulate, type SimulatedPath } from './simulation.ts'

const MIB = 1 << 20

/** A path of a mixnet: bounded messages without promises. */
function messages(maxSegmentBytes: number, minTimeoutMs: number, initialTimeoutMs: number): RangePathOptions {
  const segments = (count: number): number => count * maxSegmentBytes
  return { reliable: false, maxSegmentBytes, minTimeoutMs, initialTimeoutMs, minWindowBytes: segments(8), maxWindowBytes: segments(64) }
}
const MIXNET = messages(29_893, 1_000, 4_000)

function stream(over: Partial<SimulatedPath> = {}): SimulatedPath {
  return { options: STREAM_PATH, delayMs: [10, 12], rate: 5_000, ...over }
}

describe('over a network of messages', () => {
  const profiles: ReadonlyArray<readonly [string, Partial<SimulatedPath>]> = [
    ['without losses', { delayMs: [100, 600] }],
    ['with a tenth lost and a tenth doubled', { delayMs: [100, 600], loss: 0.1, doubling: 0.1 }],
    ['with 30 % lost, 20 % doubled and delays from 50 ms to 5 s', { delayMs: [50, 5_000], loss: 0.3, doubling: 0.2 }],
    ['that is gone for a minute', { delayMs: [100, 600], loss: 0.05, silent: [2_000, 62_000] }],
  ]
  describe.each(profiles)('%s', (_, profile) => {
    it.each([1, 2, 3])('not one byte is lost or doubled (seed %i)', (seed) => {
      const path = { options: MIXNET, rate: 3_000, delayMs: [0, 0] as const, ...profile }
      const outcome = simulate({ seed, bytes: [2 * MIB, MIB], paths: [path], ack: { ackDelayMs: 100 } })
      expect(outcome).toMatchObject({ exact: true })
      expect(outcome.mostHeld).toBeLessThanOrEqual(2 * MIB + 40_000)
    })
  })

  it('a loss is repaired after the round trips that it takes, not after a time-out each', () => {
    const quiet = simulate({
      seed: 4,
      bytes: [4 * MIB, 0],
      paths: [{ options: MIXNET, rate: 3_000, delayMs: [100, 600] }],
      ack: { ackDelayMs: 100 },
    })
    const lossy = simulate({
      seed: 4,
      bytes: [4 * MIB, 0],
      paths: [{ options: MIXNET, rate: 3_000, delayMs: [100, 600], loss: 0.1, doubling: 0.1 }],
      ack: { ackDelayMs: 100 },
    })
    expect(lossy.exact && quiet.exact).toBe(true)
    expect(lossy.ms).toBeLessThan(4 * quiet.ms)
  })

  it('a window that was opened without anybody hearing of it is asked about', () => {
    const path = { options: MIXNET, rate: 3_000, delayMs: [100, 300] as const, loss: 0.3 }
    const outcome = simulate({ seed: 5, bytes: [2 * MIB, 0], paths: [path], windowBytes: 256 * 1024, readFromMs: 60_000 })
    expect(outcome.exact).toBe(true)
    expect(outcome.mostHeld).toBeLessThanOrEqual(2 * 256 * 1024 + 40_000)
  })
})

describe('over several streams', () => {
  it('two paths of equal speed carry at least 1.6 times what one does', () => {
    const one = simulate({ seed: 1, bytes: [0, 32 * MIB], paths: [stream()], windowBytes: 4 * MIB })
    const two = simulate({ seed: 1, bytes: [0, 32 * MIB], paths: [stream(), stream()], windowBytes: 4 * MIB })
    expect(one.exact && two.exact).toBe(true)
    expect(one.ms / two.ms).toBeGreaterThan(1.6)
  })

  it('a slow path beside a fast one does not make the stream slower than the fast one', () => {
    const fast = simulate({ seed: 1, bytes: [0, 16 * MIB], paths: [stream()], windowBytes: 2 * MIB })
    const slow = stream({ delayMs: [200, 260], rate: 200 })
    const both = simulate({ seed: 1, bytes: [0, 16 * MIB], paths: [stream(), slow], windowBytes: 2 * MIB })
    expect(fast.exact && both.exact).toBe(true)
    expect(both.ms).toBeLessThan(fast.ms * 1.15)
  })

  it('a path that dies mid-transfer costs no byte', () => {
    const outcome = simulate({ seed: 2, bytes: [16 * MIB, 16 * MIB], paths: [stream({ diesAtMs: 700 }), stream()], windowBytes: 2 * MIB })
    expect(outcome.exact).toBe(true)
    expect(outcome.longestGapMs).toBeLessThan(1_000)
  })

  it.each([
    ['20 ms', 10, 1_000],
    ['400 ms', 200, 1_600],
    ['2 s', 1_000, 8_000],
  ])('a path with round trips of %s that falls silent holds the reader up for less than its limit', (_, delayMs, limitMs) => {
    const path = stream({ delayMs: [delayMs, delayMs], rate: 2_000 })
    const silent = { ...path, silent: [6_000, Infinity] as const }
    const outcome = simulate({ seed: 3, bytes: [0, 64 * MIB], paths: [silent, path], windowBytes: 4 * MIB })
    expect(outcome.exact).toBe(true)
    // The first bytes take a round trip of their own.
    expect(outcome.longestGapMs).toBeLessThan(limitMs)
  })

  it('a silent path that comes back is used again, and what comes twice is dropped', () => {
    const path = stream({ rate: 1_000 })
    const back = { ...path, silent: [1_000, 3_000] as const }
    const outcome = simulate({ seed: 3, bytes: [0, 24 * MIB], paths: [back, path], windowBytes: 2 * MIB })
    expect(outcome.exact).toBe(true)
    const alone = simulate({ seed: 3, bytes: [0, 24 * MIB], paths: [path], windowBytes: 2 * MIB })
    expect(outcome.ms).toBeLessThan(alone.ms * 0.75)
  })

  it('two paths that are silent for half a minute in turn delay, but do not break', () => {
    const outcome = simulate({
      seed: 6,
      bytes: [4 * MIB, 4 * MIB],
      paths: [stream({ rate: 500, silent: [500, 30_000] }), stream({ rate: 500, silent: [1_500, 35_000] })],
    })
    expect(outcome.exact).toBe(true)
  })

  it.each([0, 1])('a window that was opened is heard of although path %i is silent, on which that may have been said', (index) => {
    const paths = [stream(), stream()].with(index, stream({ silent: [1_000, 30_000] }))
    const outcome = simulate({ seed: 4, bytes: [MIB, 0], paths, windowBytes: 256 * 1024, readFromMs: 2_000 })
    expect(outcome.exact).toBe(true)
    expect(outcome.ms).toBeLessThan(5_000)
  })

  it('holds no more than its windows when the readers stand still', () => {
    const outcome = simulate({
      seed: 7,
      bytes: [8 * MIB, 8 * MIB],
      paths: [stream(), stream({ delayMs: [50, 80] }), stream()],
      windowBytes: 512 * 1024,
      readFromMs: 20_000,
    })
    expect(outcome.exact).toBe(true)
    expect(outcome.mostHeld).toBeLessThanOrEqual(2 * 512 * 1024 + 40_000)
  })

  it('empty in both directions, it still ends', () => {
    expect(simulate({ seed: 8, bytes: [0, 0], paths: [stream(), stream()] })).toMatchObject({ exact: true })
  })

  it('is broken off when every path is gone for five minutes', () => {
    const outcome = simulate({ seed: 9, bytes: [MIB, 0], paths: [stream({ silent: [50, Infinity], rate: 100 })] })
    expect(outcome.states[0]).toBe('reset')
    expect(outcome.ms).toBeGreaterThan(300_000)
  })
})
