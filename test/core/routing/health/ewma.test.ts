import { expect, it } from 'vitest'
import { Ewma } from '../../../../core/routing/health/ewma.ts'

it('has no value before the first sample, and the sample itself after it', () => {
  const mean = new Ewma(1_000)
  expect(mean.value).toBeUndefined()
  expect(mean.weight(0)).toBe(0)
  mean.add(40, 500)
  expect(mean.value).toBe(40)
})

it('counts a sample half after a half-life', () => {
  const mean = new Ewma(1_000)
  mean.add(0, 0)
  mean.add(30, 1_000)
  expect(mean.value).toBeCloseTo(20)
  expect(mean.weight(1_000)).toBeCloseTo(1.5)
  expect(mean.weight(2_000)).toBeCloseTo(0.75)
})

it('takes several samples of one moment as equals', () => {
  const mean = new Ewma(1_000)
  for (const sample of [10, 20, 60]) mean.add(sample, 7)
  expect(mean.value).toBeCloseTo(30)
})

it('keeps its value while nothing comes, and believes news more the longer it waited', () => {
  const mean = new Ewma(1_000)
  mean.add(100, 0)
  expect(mean.value).toBe(100)
  mean.add(0, 20_000)
  expect(mean.value).toBeLessThan(0.001)
})

it('is not confused by time that stands still or goes back', () => {
  const mean = new Ewma(1_000)
  mean.add(10, 5_000)
  mean.add(20, 4_000)
  expect(mean.value).toBeCloseTo(15)
})

it('refuses a half-life of nothing', () => {
  expect(() => new Ewma(0)).toThrow(RangeError)
})
