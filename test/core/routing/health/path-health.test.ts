import { describe, expect, it } from 'vitest'
import { PathHealth } from '../../../../core/routing/health/path-health.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

const started = (): { clock: ManualClock; health: PathHealth } => {
  const clock = new ManualClock()
  return { clock, health: new PathHealth({ clock, halfLifeMs: 10_000, breaker: { random: () => 0 } }) }
}

it('says nothing that was not measured', () => {
  expect(started().health.figures()).toEqual({
    weight: 0,
    succeeded: 0,
    failed: 0,
    probes: 0,
    failuresInARow: 0,
    breaker: 'closed',
  })
})

it('weighs success by age', async () => {
  const { clock, health } = started()
  health.failed({ by: 'traffic' })
  await clock.pass(10_000)
  health.succeeded({ by: 'traffic' })
  expect(health.figures()).toMatchObject({ successRate: 2 / 3, succeeded: 1, failed: 1, failuresInARow: 0 })
})

it('measures the time to the first byte and how much it varies', async () => {
  const { clock, health } = started()
  health.succeeded({ by: 'probe', ttfbMs: 100 })
  expect(health.figures()).toMatchObject({ ttfbMs: 100, ttfbSpreadMs: 0, probes: 1 })
  health.succeeded({ by: 'traffic', ttfbMs: 200 })
  expect(health.figures()).toMatchObject({ ttfbMs: 150, ttfbSpreadMs: 50, probes: 1 })
  health.succeeded({ by: 'traffic' })
  await clock.pass(500)
  expect(health.figures().ttfbMs).toBeCloseTo(150)
  expect(health.figures().observedMsAgo).toBe(500)
})

describe('a row', () => {
  it('of failures is timed from its first one', async () => {
    const { clock, health } = started()
    health.failed({ by: 'probe' })
    await clock.pass(4_000)
    health.failed({ by: 'probe' })
    await clock.pass(1_000)
    expect(health.figures()).toMatchObject({ failuresInARow: 2, failingForMs: 5_000 })
    expect(health.figures()).not.toHaveProperty('workingForMs')
  })

  it('of successes is timed from its first one', async () => {
    const { clock, health } = started()
    health.failed({ by: 'traffic' })
    health.succeeded({ by: 'traffic' })
    await clock.pass(2_000)
    health.succeeded({ by: 'traffic' })
    expect(health.figures()).toMatchObject({ workingForMs: 2_000 })
    expect(health.figures()).not.toHaveProperty('failingForMs')
  })

  it('begins anew when the path was made anew', async () => {
    const { clock, health } = started()
    health.succeeded({ by: 'traffic' })
    await clock.pass(5_000)
    for (let index = 0; index < 3; index++) health.failed({ by: 'traffic' })
    expect(health.figures().breaker).toBe('open')
    health.renewed()
    expect(health.figures()).toMatchObject({ failuresInARow: 0, breaker: 'closed' })
    expect(health.figures()).not.toHaveProperty('workingForMs')
    health.succeeded({ by: 'traffic' })
    await clock.pass(1_000)
    expect(health.figures().workingForMs).toBe(1_000)
  })
})

it('stops attempts after failures in a row, and lets single trials decide', async () => {
  const { clock, health } = started()
  for (let index = 0; index < 3; index++) {
    expect(health.acquire()).toBe(true)
    health.failed({ by: 'traffic' })
  }
  expect(health.acquire()).toBe(false)
  expect(health.figures()).toMatchObject({ breaker: 'open', trialInMs: 1_000 })
  await clock.pass(1_000)
  expect([health.acquire(), health.acquire()]).toEqual([true, false])
  health.abandoned()
  expect(health.acquire()).toBe(true)
  health.succeeded({ by: 'probe' })
  expect(health.acquire()).toBe(true)
  health.succeeded({ by: 'probe' })
  expect(health.figures().breaker).toBe('closed')
})
