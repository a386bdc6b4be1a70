import { describe, expect, it } from 'vitest'
import { median, percentile, ratios, summarize } from './statistics.ts'

describe('statistics of rounds', () => {
  it('takes the middle, or the mean of the two in the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([10, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index)
    expect(percentile(values, 0.5)).toBe(100)
    expect(percentile(values, 0.99)).toBe(198)
    expect(percentile(values, 1)).toBe(200)
    expect(percentile([7], 0.01)).toBe(7)
    expect(percentile([], 0.5)).toBeNaN()
  })

  it('compares values of the same round only', () => {
    expect(ratios([10, undefined, 30, 5], [5, 1, undefined, 0])).toEqual([2])
  })

  it('leaves rounds without a value out of the summary', () => {
    expect(summarize([3, undefined, 1])).toEqual({ median: 2, min: 1, max: 3, rounds: 2 })
  })
})
