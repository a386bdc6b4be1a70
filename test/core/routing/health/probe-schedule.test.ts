import { expect, it } from 'vitest'
import { nextProbeMs } from '../../../../core/routing/health/probe-schedule.ts'
import { seededRandom } from '../../../../core/testing/random.ts'

it('keeps to the usual distance, a quarter more or less, while the path works', () => {
  expect(nextProbeMs(0, { everyMs: 60_000, random: () => 0 })).toBe(45_000)
  expect(nextProbeMs(0, { everyMs: 60_000, random: () => 0.999_999 })).toBe(75_000)
})

it('looks again soon after a failure, then ever later, up to the usual distance', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7].map((failures) => nextProbeMs(failures, { everyMs: 60_000, random: () => 0.999_999 }))
  expect(bounds).toEqual([2_499, 4_499, 8_499, 16_499, 32_499, 60_499, 60_499])
})

it('never hammers, however short the distance', () => {
  expect(nextProbeMs(0, { everyMs: 1, random: () => 0 })).toBe(500)
  expect(nextProbeMs(9, { everyMs: 1, random: () => 0 })).toBe(500)
})

it('spreads the probes of a thousand publishers that started at once (no thundering herd)', () => {
  const random = seededRandom(5)
  const perSecond = new Map<number, number>()
  for (let publisher = 0; publisher < 1_000; publisher++) {
    for (let at = nextProbeMs(0, { everyMs: 60_000, random }); at < 600_000; at += nextProbeMs(0, { everyMs: 60_000, random })) {
      const second = Math.floor(at / 1_000)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    }
  }
  expect(Math.max(...[...perSecond].filter(([second]) => second < 90).map(([, count]) => count))).toBeLessThan(80)
  expect(Math.max(...[...perSecond].filter(([second]) => second >= 300).map(([, count]) => count))).toBeLessThan(40)
})
