import { describe, expect, it } from 'vitest'
import { orderRoutes, ROUTING_STRATEGIES, type RouteCandidate } from '../../../core/routing/route-order.ts'
import { RouteTable } from '../../../core/routing/route-table.ts'
import { seeded } from '../../simulation/gossip-rounds.ts'
import { ManualClock } from '../tunnels/puppet-backend.ts'

const route = (id: string, over: Partial<RouteCandidate> = {}): RouteCandidate => ({ id, trust: 0.5, figures: {}, ...over })
const ids = (routes: readonly { readonly id: string }[]): string[] => routes.map(({ id }) => id)

describe('the order of routes', () => {
  const near = route('near', { figures: { latencyMs: 10, bytesPerSecond: 1e6, reliability: 1 }, distanceMs: 300 })
  const wide = route('wide', { figures: { latencyMs: 80, bytesPerSecond: 9e6, reliability: 1 }, distanceMs: 200 })
  const close = route('close', { figures: { latencyMs: 90, bytesPerSecond: 1e5, reliability: 0.6 }, distanceMs: 20 })
  const all = [close, wide, near]

  it.each([
    ['latency', 'near'],
    ['bandwidth', 'wide'],
    ['geographic', 'close'],
    ['quality', 'near'],
  ] as const)('by %s begins with the one that is best at it', (strategy, best) => {
    expect(ids(orderRoutes(all, strategy))[0]).toBe(best)
  })

  it('at random begins with each of them now and then, and loses none', () => {
    const random = seeded(5)
    const orders = Array.from({ length: 60 }, () => ids(orderRoutes(all, 'random', random)))
    expect(new Set(orders.map(([first]) => first))).toEqual(new Set(['near', 'wide', 'close']))
    expect(orders.every((order) => new Set(order).size === 3)).toBe(true)
  })

  it.each(ROUTING_STRATEGIES)('by %s puts whoever broke its word last', (strategy) => {
    const liar = route('liar', { trust: 0.1, figures: { latencyMs: 1, bytesPerSecond: 1e9, reliability: 1 }, distanceMs: 1 })
    expect(ids(orderRoutes([liar, ...all], strategy, seeded(1))).at(-1)).toBe('liar')
  })

  it('weighs trust among equals', () => {
    const figures = { latencyMs: 20, reliability: 1 }
    expect(ids(orderRoutes([route('stranger', { figures }), route('friend', { figures, trust: 0.9 })], 'quality'))[0]).toBe('friend')
  })

  it('takes what was not measured for neither good nor bad by quality', () => {
    const good = route('good', { figures: { latencyMs: 10, reliability: 1 } })
    const bad = route('bad', { figures: { latencyMs: 500, reliability: 0.2 } })
    expect(ids(orderRoutes([bad, route('unknown'), good], 'quality'))).toEqual(['good', 'unknown', 'bad'])
  })
})

describe('a table of routes', () => {
  const offers = [
    { id: 'a', trust: 0.5 },
    { id: 'b', trust: 0.5 },
  ]

  it('prefers what was measured to be better, and forgets with time', () => {
    const clock = new ManualClock()
    const table = new RouteTable({ clock, random: seeded(1) })
    table.note('there', 'a', { worked: true, latencyMs: 200 })
    table.note('there', 'b', { worked: true, latencyMs: 20 })
    expect(ids(table.order('there', offers, 'quality'))).toEqual(['b', 'a'])
    for (let count = 0; count < 4; count++) table.note('there', 'b', { worked: true, latencyMs: 900 })
    expect(ids(table.order('there', offers, 'latency'))).toEqual(['a', 'b'])
    expect(table.figures('elsewhere', 'a')).toEqual({})
  })

  it('leaves a route alone that failed three times in a row, and tries it again later', async () => {
    const clock = new ManualClock()
    const table = new RouteTable({ clock, random: seeded(1) })
    for (let count = 0; count < 3; count++) table.note('there', 'a', { worked: false })
    expect(ids(table.order('there', offers, 'quality'))).toEqual(['b'])
    expect(ids(table.order('there', offers.slice(0, 1), 'quality'))).toEqual(['a'])
    await clock.pass(200_000)
    expect(ids(table.order('there', offers, 'random'))).toHaveLength(2)
  })

  it('is bounded', () => {
    const table = new RouteTable({ clock: new ManualClock() })
    for (let count = 0; count < 3_000; count++) table.note(`destination ${count}`, 'a', { worked: true, latencyMs: 5 })
    for (let count = 0; count < 200; count++) table.note('one', `route ${count}`, { worked: true, latencyMs: 5 })
    expect(table.figures('destination 0', 'a')).toEqual({})
    expect(table.figures('destination 2999', 'a')).toMatchObject({ latencyMs: 5 })
    expect(table.figures('one', 'route 0')).toEqual({})
    expect(table.figures('one', 'route 199')).toMatchObject({ latencyMs: 5 })
  })
})
