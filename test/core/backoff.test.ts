import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffDelayMs } from '../../core/index.ts'

const almostOne = (): number => 1 - Number.EPSILON

describe('backoffDelayMs', () => {
  it('doubles its upper bound with every attempt up to the greatest', () => {
    const delays = [0, 1, 2, 3, 4, 5, 50, 5000].map((attempt) => backoffDelayMs(attempt, { baseMs: 100, maxMs: 1000, random: almostOne }))
    expect(delays).toEqual([99, 199, 399, 799, 999, 999, 999, 999])
  })

  it('can be nothing, so that clients of one peer spread over the whole time', () => {
    expect(backoffDelayMs(10, { baseMs: 100, maxMs: 1000, random: () => 0 })).toBe(0)
    const delays = new Set(Array.from({ length: 50 }, () => backoffDelayMs(10, { baseMs: 100, maxMs: 1_000_000 })))
    expect(delays.size).toBeGreaterThan(25)
  })

  it('is a whole number of milliseconds within its bounds for every attempt', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 3_600_000 }),
        fc.nat({ max: 999 }),
        (attempt, baseMs, maxMs, r) => {
          const delay = backoffDelayMs(attempt, { baseMs, maxMs, random: () => r / 1000 })
          expect(Number.isInteger(delay)).toBe(true)
          expect(delay).toBeGreaterThanOrEqual(0)
          expect(delay).toBeLessThan(maxMs)
        },
      ),
    )
  })
})
