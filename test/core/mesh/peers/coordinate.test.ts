import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distanceMs, fromNumbers, moved, toNumbers, UNKNOWN, type Coordinate } from '../../../../core/index.ts'
import { seeded } from '../../../simulation/gossip-rounds.ts'

/** Forty nodes on a plane of 200 by 200 ms, each 2 to 10 ms behind its own network. */
function world(random: () => number): (a: number, b: number) => number {
  const nodes = Array.from({ length: 40 }, () => ({ x: random() * 200, y: random() * 200, h: 2 + random() * 8 }))
  return (a, b) => {
    const [one, two] = [nodes[a], nodes[b]]
    return one === undefined || two === undefined ? 0 : Math.hypot(one.x - two.x, one.y - two.y) + one.h + two.h
  }
}

function medianError(places: readonly Coordinate[], roundTrip: (a: number, b: number) => number): number {
  const errors = places
    .flatMap((a, i) => places.slice(i + 1).map((b, j) => Math.abs(distanceMs(a, b) - roundTrip(i, i + 1 + j)) / roundTrip(i, i + 1 + j)))
    .sort((x, y) => x - y)
  return errors[Math.floor(errors.length / 2)] ?? 1
}

describe('network coordinates', () => {
  it('tell round trips that were never measured, within a tenth', () => {
    const random = seeded(3)
    const roundTrip = world(random)
    const places: Coordinate[] = Array.from({ length: 40 }, () => UNKNOWN)
    for (let step = 0; step < 200; step++) {
      for (const [index, place] of places.entries()) {
        // Each knows eight others only.
        const other = (index + 1 + 5 * Math.floor(random() * 8)) % 40
        if (other !== index) places[index] = moved(place, places[other] ?? UNKNOWN, roundTrip(index, other), random)
      }
    }
    expect(medianError(places, roundTrip)).toBeLessThan(0.1)
  })

  it('are not carried away by a few that lie', () => {
    const random = seeded(4)
    const roundTrip = world(random)
    const places: Coordinate[] = Array.from({ length: 40 }, () => UNKNOWN)
    for (let step = 0; step < 300; step++) {
      for (let index = 4; index < 40; index++) {
        const other = Math.floor(random() * 40)
        if (other === index) continue
        const lie: Coordinate = { position: [random() * 5_000, -5_000, 5_000], height: 1, error: 0.01 }
        places[index] = moved(places[index] ?? UNKNOWN, other < 4 ? lie : (places[other] ?? UNKNOWN), roundTrip(index, other), random)
      }
    }
    expect(medianError(places.slice(4), (a, b) => roundTrip(a + 4, b + 4))).toBeLessThan(1)
    for (const { position } of places) for (const value of position) expect(Math.abs(value)).toBeLessThanOrEqual(60_000)
  })

  it.each([1, 2, 3, 4, 5, 6])(
    'stay near each other on one machine, where nodes restart and a busy moment is measured now and then (%i)',
    (seed) => {
      const random = seeded(seed)
      const places: Coordinate[] = [UNKNOWN, UNKNOWN, UNKNOWN]
      const measure = (one: number, other: number): void => {
        const ms = 1 + 2 * random() + (random() < 0.2 ? 30 * random() : 0)
        places[one] = moved(places[one] ?? UNKNOWN, places[other] ?? UNKNOWN, ms, random)
      }
      for (let round = 0; round < 120; round++) {
        const restarted = 1 + (round % 2)
        places[restarted] = UNKNOWN
        for (const other of [0, 1, 2].filter((index) => index !== restarted)) {
          for (let times = 0; times < 2; times++) {
            measure(restarted, other)
            measure(other, restarted)
          }
          // Nothing was ever farther than 33 ms, so twice that is a place that nobody measured.
          expect(distanceMs(places[restarted] ?? UNKNOWN, places[other] ?? UNKNOWN)).toBeLessThan(66)
        }
      }
    },
  )

  it('survive their way as numbers, and what is no coordinate is none', () => {
    const place = moved(UNKNOWN, { position: [10, 20, 30], height: 4, error: 0.5 }, 50, () => 0.3)
    expect(fromNumbers(toNumbers(place))).toEqual(place)
    for (const bad of [undefined, [], [1, 2, 3, 4], [1, 2, 3, -4, 0.5], [1, 2, 3, 4, 2], [Infinity, 0, 0, 0, 0.5]])
      expect(fromNumbers(bad)).toBeUndefined()
  })

  it('stay finite, whatever is measured', () => {
    const any = fc.record({
      position: fc.tuple(
        fc.double({ min: -6e4, max: 6e4, noNaN: true }),
        fc.double({ min: -6e4, max: 6e4, noNaN: true }),
        fc.double({ min: -6e4, max: 6e4, noNaN: true }),
      ),
      height: fc.double({ min: 0, max: 6e4, noNaN: true }),
      error: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(any, any, fc.double(), (own, remote, ms) => {
        const { position, height, error } = moved(own, remote, ms, () => 0.5)
        expect([...position, height, error].every(Number.isFinite)).toBe(true)
      }),
    )
  })
})
