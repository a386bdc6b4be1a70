import fc from 'fast-check'
import { expect, it } from 'vitest'
import { scores, type PathFigures } from '../../../core/routing/index.ts'

it('weighs latency 0.4, bandwidth 0.3, reliability 0.2 and congestion -0.1, relative to the best', () => {
  const [best, other] = scores([
    { latencyMs: 20, bytesPerSecond: 8e6, reliability: 1, congestion: 0 },
    { latencyMs: 80, bytesPerSecond: 2e6, reliability: 0.5, congestion: 0.5 },
  ])
  expect(best).toBeCloseTo(0.9)
  expect(other).toBeCloseTo(0.4 / 4 + 0.3 / 4 + 0.2 * 0.5 - 0.1 * 0.5)
})

it('lets what was not measured decide nothing', () => {
  const [a, b] = scores([{ latencyMs: 50 }, { latencyMs: 50, bytesPerSecond: 1e6, reliability: 0.5, congestion: 0.2 }])
  expect(a).toBeCloseTo(b ?? NaN)
  expect(scores([{}, {}, {}])).toEqual([0.9, 0.9, 0.9].map((score) => expect.closeTo(score) as number))
})

it('stays within its bounds, and better figures never score less', () => {
  const figure = fc.record(
    {
      latencyMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
      bytesPerSecond: fc.double({ min: 0, max: 1e10, noNaN: true }),
      reliability: fc.double({ min: 0, max: 1, noNaN: true }),
      congestion: fc.double({ min: 0, max: 1, noNaN: true }),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(figure as fc.Arbitrary<PathFigures>, { minLength: 1, maxLength: 6 }), (paths) => {
      for (const score of scores(paths)) {
        expect(score).toBeGreaterThanOrEqual(-0.1000001)
        expect(score).toBeLessThanOrEqual(0.9000001)
      }
    }),
  )
  fc.assert(
    fc.property(fc.double({ min: 1, max: 5_000, noNaN: true }), fc.double({ min: 0, max: 5_000, noNaN: true }), (latencyMs, more) => {
      const [quick = 0, slow = 0] = scores([{ latencyMs }, { latencyMs: latencyMs + more }])
      expect(quick).toBeGreaterThanOrEqual(slow)
    }),
  )
})
