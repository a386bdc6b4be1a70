import { expect, it } from 'vitest'
import { seeded, simulateRounds } from './gossip-rounds.ts'

it('an announcement reaches 99 % of a thousand nodes within five rounds and all within eight, for at most eight messages a node', async () => {
  for (const seed of [1, 2, 3]) {
    const random = seeded(seed)
    const { reached, pushed } = await simulateRounds({ nodes: 1_000, links: 30, rounds: 8, roundMs: 50, random })
    expect(reached[4], `after round 5: ${reached.join(' ')}`).toBeGreaterThanOrEqual(990)
    expect(reached[7], `after round 8: ${reached.join(' ')}`).toBe(1_000)
    expect(pushed / 1_000).toBeLessThanOrEqual(8)
  }
})

it('reaches every honest node although three in ten hand nothing on', async () => {
  const { reached } = await simulateRounds({ nodes: 500, links: 30, rounds: 24, roundMs: 50, random: seeded(4), silent: 150 })
  expect(reached.at(-1)).toBe(500)
})

it('a network that only pushes would miss some, so the offers of what is there are what makes it whole', async () => {
  // A round of no time at all: nobody's quarter of a second comes while the rounds last.
  const misses: number[] = []
  for (const seed of [1, 2, 3]) {
    const { reached } = await simulateRounds({ nodes: 1_000, links: 30, rounds: 12, roundMs: 0, random: seeded(seed) })
    misses.push(1_000 - (reached.at(-1) ?? 0))
  }
  expect(Math.max(...misses)).toBeGreaterThan(0)
})
