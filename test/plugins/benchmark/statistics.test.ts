import { describe, expect, it } from 'vitest'
import { isApart, median, percentile, ratios, summarize, wilsonInterval } from '../../../plugins/benchmark/statistics.ts'

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

  it('says how sure a share is: less with few attempts, and never quite with none that failed', () => {
    const [low, high] = wilsonInterval(10, 10)
    expect(low).toBeCloseTo(0.722, 3)
    expect(high).toBeCloseTo(1, 6)
    expect(wilsonInterval(81, 263).map((share) => share.toFixed(4))).toEqual(['0.2553', '0.3662'])
    expect(wilsonInterval(0, 0)).toEqual([0, 1])
  })

  it('calls figures apart when no round of one reaches into the rounds of the other', () => {
    expect(isApart(summarize([1, 2, 3]), summarize([4, 5]))).toBe(true)
    expect(isApart(summarize([1, 2, 4]), summarize([4, 5]))).toBe(false)
    expect(isApart(summarize([]), summarize([4, 5]))).toBe(false)
  })
})
