import { expect, it } from 'vitest'
import { encodeHeartbeat, PartitionWatch } from '../../../../core/index.ts'
import { seeded } from '../../../simulation/gossip-rounds.ts'
import { honest, type Honest } from '../../../simulation/members.ts'
import { MemoryNetwork, TickingClock, type MemoryNode } from '../../../simulation/memory-network.ts'

const HEARTBEAT_MS = 30_000

/** A network of so many nodes in two halves, all of which say that they live and watch for who falls silent. */
async function network(nodes: number) {
  const random = seeded(21)
  const clock = new TickingClock()
  const memory = new MemoryNetwork(clock)
  const watches = new Map<Honest, PartitionWatch>()
  const members = Array.from({ length: nodes }, (_, index) =>
    honest(memory, `44.${index}.0.1`, random, { min: 4, max: 12 }, ({ origin }) => {
      const watch = watches.get(members[index] as Honest)
      const from = members.find(({ node }) => Buffer.compare(node.identity.publicKey, origin) === 0)
      if (from !== undefined) watch?.heard(from.node.id)
    }),
  )
  for (const [index, member] of members.entries()) {
    const { node, set, gossip, candidates } = member
    watches.set(member, new PartitionWatch({ node: node.asNode, peers: set, clock, heartbeatMs: HEARTBEAT_MS, random }))
    for (const other of [1, 3, 7].map((step) => members[(index + step) % nodes]?.node as MemoryNode)) {
      candidates.add({ key: other.identity.publicKey, contact: other.contact, source: 'bootstrap' })
    }
    clock.every(HEARTBEAT_MS, () => gossip.publish({ type: 'announce', payload: encodeHeartbeat(set.self()) }))
  }
  await clock.advance(2 * HEARTBEAT_MS + 5_000)
  const half = ({ node }: Honest): boolean => members.findIndex((member) => member.node === node) < nodes / 2
  const across = (): number =>
    members
      .filter(half)
      .reduce(
        (sum, { node }) => sum + node.links.filter(({ remote }) => !members.filter(half).some((one) => one.node === remote)).length,
        0,
      )
  const suspecting = (): number => members.filter((member) => watches.get(member)?.suspicion !== undefined).length
  return { clock, memory, members, half, across, suspecting }
}

it('two halves that lost each other suspect it, and are one again seconds after there is a way', { timeout: 60_000 }, async () => {
  const { clock, memory, members, half, across, suspecting } = await network(24)
  expect(across()).toBeGreaterThan(0)
  expect(suspecting()).toBe(0)
  const first = new Set(members.filter(half).map(({ node }) => node))
  memory.allows = (a, b) => first.has(a) === first.has(b)
  memory.cut()
  await clock.advance(4 * HEARTBEAT_MS)
  expect(across()).toBe(0)
  expect(suspecting()).toBeGreaterThan(members.length * 0.75)
  const dialsBefore = memory.dials.length
  await clock.advance(60_000)
  // Two at a time every other second, each: no storm.
  expect((memory.dials.length - dialsBefore) / members.length).toBeLessThan(90)

  memory.allows = () => true
  await clock.advance(5_000)
  expect(across()).toBeGreaterThan(0)
  members[0]?.gossip.publish({ type: 'announce', payload: Buffer.from('heard by all') })
  await clock.advance(3_000)
  const heard = members.filter((member) => member.heard.some(({ payload }) => payload.toString() === 'heard by all'))
  expect(heard.length).toBe(members.length - 1)
  // Each has to hear of those that it missed, by two heartbeats or, where chance kept one from it, by some more.
  for (let beats = 0; beats < 2 || (suspecting() > 0 && beats < 8); beats++) await clock.advance(HEARTBEAT_MS)
  expect(suspecting()).toBe(0)
})

it('one or two nodes that crash are no cut', { timeout: 60_000 }, async () => {
  const { clock, memory, members, suspecting } = await network(16)
  const gone = new Set(members.slice(0, 2).map(({ node }) => node))
  memory.allows = (a, b) => !gone.has(a) && !gone.has(b)
  memory.cut()
  const left = members.slice(2)
  await clock.advance(4 * HEARTBEAT_MS)
  const before = suspecting()
  expect(before - members.slice(0, 2).length).toBeLessThanOrEqual(0)
  expect(left.every(({ node }) => node.links.length >= 4)).toBe(true)
})
