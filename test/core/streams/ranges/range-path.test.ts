import { describe, expect, it } from 'vitest'
import { RangePath, STREAM_PATH } from '../../../../core/streams/ranges/range-path.ts'

/** A path whose round trips were measured one after the other, in milliseconds. */
function measured(...rtts: readonly number[]): RangePath {
  const path = new RangePath(STREAM_PATH)
  for (const [index, rtt] of rtts.entries()) path.sample(rtt, index * 100)
  return path
}

const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms)

describe('when something counts as late on a stream', () => {
  it('after three round trips, and 300 ms at least', () => {
    expect(measured(...times(20, 400)).timeoutMs).toBe(1_200)
    expect(measured(...times(20, 20)).timeoutMs).toBe(300)
  })

  it('no later because a queue stands on the path: the far end of 400 ms is given up in time for a failover within four round trips', () => {
    const path = measured(...times(20, 400), ...times(30, 560))
    expect(path.srttMs).toBeGreaterThan(550)
    expect(path.timeoutMs).toBe(1_200)
  })

  it('not before what waits in a long queue can have arrived', () => {
    const path = measured(...times(5, 100), ...times(60, 2_000))
    expect(path.timeoutMs).toBeGreaterThan(1_900)
    expect(path.timeoutMs).toBeLessThan(3 * 2_000)
  })
})
