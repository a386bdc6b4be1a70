import { expect, it } from 'vitest'
import { seeded } from './gossip-rounds.ts'
import { expectToWithstand } from './attack.ts'
import { honest, isHostile, name } from './members.ts'
import { MemoryNetwork, TickingClock } from './memory-network.ts'

it(
  'with three hostile nodes in ten, honest ones stay linked, hear each other, and leave those that flood and forge',
  { timeout: 60_000 },
  async () => {
    await expectToWithstand({ good: 28, bad: 12 })
  },
)

it('an attacker with hundreds of names in one network gets two links of a victim at most', { timeout: 60_000 }, async () => {
  const random = seeded(12)
  const clock = new TickingClock()
  const network = new MemoryNetwork(clock)
  const victim = honest(network, '44.1.0.1', random, { min: 8, max: 16 })
  const names = Array.from({ length: 250 }, (_, index) => name(network, `66.6.6.${1 + index}`, victim.node))
  // They dial it, and it is told of them, before it knows anybody honest.
  for (const { identity, contact } of names) victim.candidates.add({ key: identity.publicKey, contact, source: 'exchange' })
  await clock.advance(20_000)
  expect(victim.node.links.filter(({ remote }) => isHostile(remote)).length).toBeLessThanOrEqual(2)
  const others = Array.from({ length: 12 }, (_, index) => honest(network, `45.${index}.0.1`, random, { min: 2, max: 16 }))
  for (const { node } of others) victim.candidates.add({ key: node.identity.publicKey, contact: node.contact, source: 'bootstrap' })
  await clock.advance(60_000)
  const links = victim.node.links
  expect(links.filter(({ remote }) => isHostile(remote)).length).toBeLessThanOrEqual(2)
  expect(links.filter(({ remote }) => !isHostile(remote)).length).toBeGreaterThanOrEqual(6)
  expect(links.filter(({ direction }) => direction === 'in').length).toBeLessThanOrEqual(8)
})

it(
  'a crowd from many networks takes half of the places at most, the others are chosen by the node itself',
  { timeout: 60_000 },
  async () => {
    const random = seeded(13)
    const clock = new TickingClock()
    const network = new MemoryNetwork(clock)
    const victim = honest(network, '44.1.0.1', random, { min: 8, max: 16 })
    for (let index = 0; index < 100; index++) name(network, `66.${index}.0.1`, victim.node)
    await clock.advance(10_000)
    expect(victim.node.links.filter(({ direction }) => direction === 'in').length).toBeLessThanOrEqual(8)
    const others = Array.from({ length: 12 }, (_, index) => honest(network, `45.${index}.0.1`, random, { min: 2, max: 16 }))
    for (const { node } of others) victim.candidates.add({ key: node.identity.publicKey, contact: node.contact, source: 'bootstrap' })
    await clock.advance(120_000)
    const out = victim.node.links.filter(({ direction }) => direction === 'out')
    expect(out.filter(({ remote }) => !isHostile(remote)).length).toBeGreaterThanOrEqual(4)
  },
)

it('a crowd that lost its peer does not come back at once, nor all together', { timeout: 60_000 }, async () => {
  const random = seeded(14)
  const clock = new TickingClock()
  const network = new MemoryNetwork(clock)
  const hub = network.add('44.0.0.1')
  let away = true
  network.allows = (a, b) => !away || (a !== hub && b !== hub)
  for (let index = 0; index < 100; index++) {
    const { candidates } = honest(network, `45.${index}.0.1`, random, { min: 4, max: 8 })
    candidates.add({ key: hub.identity.publicKey, contact: hub.contact, source: 'bootstrap' })
  }
  const start = clock.now()
  await clock.advance(300_000)
  const perSecond = new Map<number, number>()
  for (const { at, to } of network.dials) {
    const second = Math.floor((at - start) / 1_000)
    if (to === '44.0.0.1') perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
  }
  const last = [...perSecond].filter(([second]) => second >= 120).map(([, count]) => count)
  expect(network.dials.length / 100).toBeLessThan(40)
  expect(Math.max(...last)).toBeLessThan(25)
  away = false
  await clock.advance(90_000)
  expect(network.dials.length).toBeGreaterThan(0)
})

it('a ban ends after an hour, and the trust that a lie cost comes back slowly', async () => {
  const clock = new TickingClock()
  const network = new MemoryNetwork(clock)
  const { set, candidates } = honest(network, '44.0.0.1', seeded(15))
  const other = network.add('45.0.0.1')
  candidates.add({ key: other.identity.publicKey, contact: other.contact, source: 'dht' })
  set.ban(other.id, 'it lied')
  expect(candidates.isBanned(other.id)).toBe(true)
  const before = candidates.trustIn(other.id)
  set[Symbol.dispose]()
  clock.jump(3_601_000)
  expect(candidates.isBanned(other.id)).toBe(false)
  expect(candidates.trustIn(other.id)).toBeGreaterThan(before)
  expect(candidates.trustIn(other.id)).toBeLessThan(0.5)
})
