import { describe, expect, it } from 'vitest'
import { CircuitBreaker } from '../../../../core/routing/health/circuit-breaker.ts'
import { seededRandom } from '../../../../core/testing/random.ts'

const breaker = (random = (): number => 0.5): CircuitBreaker =>
  new CircuitBreaker({ failures: 3, successes: 2, baseMs: 1_000, maxMs: 60_000, trialMs: 10_000, random })

const opened = (at = 0, random?: () => number): CircuitBreaker => {
  const one = breaker(random)
  for (let index = 0; index < 3; index++) one.failed(at)
  return one
}

describe('closed', () => {
  it('lets everything through', () => {
    const one = breaker()
    expect(one.state(0)).toBe('closed')
    expect([one.acquire(0), one.acquire(0)]).toEqual([true, true])
    expect(one.waitMs(0)).toBe(0)
  })

  it('opens after failures in a row only', () => {
    const one = breaker()
    one.failed(0)
    one.failed(0)
    one.succeeded(0)
    one.failed(0)
    one.failed(0)
    expect(one.state(0)).toBe('closed')
    one.failed(0)
    expect(one.state(0)).toBe('open')
  })
})

describe('open', () => {
  it('lets nothing through before the wait is over', () => {
    const one = opened()
    expect(one.waitMs(0)).toBe(1_500)
    expect(one.acquire(1_499)).toBe(false)
    expect(one.state(1_500)).toBe('half-open')
  })

  it('takes no notice of what was under way when it opened', () => {
    const one = opened()
    one.succeeded(100)
    one.failed(100)
    expect(one.state(100)).toBe('open')
    expect(one.waitMs(0)).toBe(1_500)
  })
})

describe('half-open', () => {
  it('lets one trial through at a time', () => {
    const one = opened()
    expect([one.acquire(2_000), one.acquire(2_000)]).toEqual([true, false])
    one.succeeded(2_100)
    expect(one.state(2_100)).toBe('half-open')
    expect([one.acquire(2_100), one.acquire(2_100)]).toEqual([true, false])
    one.succeeded(2_200)
    expect(one.state(2_200)).toBe('closed')
    expect([one.acquire(2_200), one.acquire(2_200)]).toEqual([true, true])
  })

  it('opens again at the first failure, and waits longer each time', () => {
    const one = opened()
    const waits: number[] = []
    let now = 0
    for (let round = 0; round < 9; round++) {
      waits.push(one.waitMs(now))
      now += one.waitMs(now)
      expect(one.acquire(now)).toBe(true)
      one.failed(now)
    }
    expect(waits).toEqual([1_500, 2_000, 3_000, 5_000, 9_000, 17_000, 31_000, 31_000, 31_000])
  })

  it('forgets how often it was opened when it closes', () => {
    const one = opened()
    one.acquire(1_500)
    one.failed(1_500)
    for (const at of [5_000, 5_001]) {
      one.acquire(at)
      one.succeeded(at)
    }
    for (let index = 0; index < 3; index++) one.failed(6_000)
    expect(one.waitMs(6_000)).toBe(1_500)
  })

  it('hands the trial on when one was called off', () => {
    const one = opened()
    one.acquire(2_000)
    one.abandoned()
    expect(one.acquire(2_000)).toBe(true)
  })

  it('takes a trial that nobody reported for failed', () => {
    const one = opened()
    one.acquire(2_000)
    expect(one.acquire(11_999)).toBe(false)
    expect(one.acquire(12_000)).toBe(false)
    expect(one.state(12_000)).toBe('open')
    expect(one.acquire(12_000 + one.waitMs(12_000))).toBe(true)
  })
})

it('starts afresh when the path was made anew', () => {
  const one = opened()
  one.reset()
  expect(one.state(0)).toBe('closed')
  one.failed(0)
  one.failed(0)
  expect(one.state(0)).toBe('closed')
})

it('spreads the trials of a thousand users of one path that broke (no thundering herd)', () => {
  const random = seededRandom(11)
  const users = Array.from({ length: 1_000 }, () => opened(0, random))
  // All trials fail; each user tries whenever its breaker lets it, for ten minutes.
  const perSecond = new Map<number, number>()
  for (const user of users) {
    for (let now = user.waitMs(0); now < 600_000; now += user.waitMs(now)) {
      const second = Math.floor(now / 1_000)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
      expect(user.acquire(now)).toBe(true)
      user.failed(now)
    }
  }
  const late = [...perSecond].filter(([second]) => second >= 120).map(([, count]) => count)
  // A thousand users, one trial each 31 s on average, is 32 in a second; without jitter all thousand would come at once.
  expect(Math.max(...late)).toBeLessThan(100)
})
