import { expect } from 'vitest'
import { seeded } from './gossip-rounds.ts'
import { honest, hostile, isHostile, type Attack, type Honest } from './members.ts'
import { MemoryNetwork, TickingClock, type MemoryNode } from './memory-network.ts'

/** Two of them flood: what they cost here is checking signatures. */
const attackOf = (index: number): Attack => (index < 2 ? 'flood' : ((['drop', 'lie', 'forge'] as const)[index % 3] ?? 'drop'))

/** The nodes that can be reached over links between honest ones. */
function connected(from: MemoryNode): Set<MemoryNode> {
  const found = new Set([from])
  for (const node of found) for (const { remote } of node.links) if (!isHostile(remote)) found.add(remote)
  return found
}

/** Builds a network of so many honest and hostile nodes, and expects that the honest ones get along as if they were alone. */
export async function expectToWithstand({ good, bad }: { readonly good: number; readonly bad: number }): Promise<void> {
  const random = seeded(11)
  const clock = new TickingClock()
  const network = new MemoryNetwork(clock)
  // The hostile ones are there first, and every newcomer is told of as many of them as of honest ones.
  const attackers = Array.from({ length: bad }, (_, index) => hostile(network, `66.${index >> 4}.${index & 15}.9`, attackOf(index), random))
  const members: Honest[] = []
  for (let index = 0; index < good; index++) {
    const member = honest(network, `44.${index}.0.1`, random)
    const some = (nodes: ReadonlyArray<{ readonly node: MemoryNode }>): MemoryNode | undefined =>
      nodes[Math.floor(random() * nodes.length)]?.node
    for (const node of [some(attackers), some(attackers), some(members), some(members)]) {
      if (node !== undefined) member.candidates.add({ key: node.identity.publicKey, contact: node.contact, source: 'bootstrap' })
    }
    members.push(member)
    for (const { candidates } of attackers)
      candidates.add({ key: member.node.identity.publicKey, contact: member.node.contact, source: 'dht' })
  }
  await clock.advance(30_000)
  const first = members[0] as Honest
  expect(connected(first.node).size).toBe(good)
  // Announcements of several, so that none depends on a lucky neighbourhood.
  const origins = members.slice(0, 5)
  for (const [index, { gossip }] of origins.entries()) gossip.publish({ type: 'announce', payload: Buffer.from(`announcement ${index}`) })
  await clock.advance(10_000)
  for (const [index, origin] of origins.entries()) {
    const reached = members.filter(({ heard }) => heard.some(({ payload }) => payload.toString() === `announcement ${index}`))
    expect(reached.length + (reached.includes(origin) ? 0 : 1), `announcement ${index}`).toBe(good)
  }
  await clock.advance(10_000)
  const banned = new Set(members.flatMap((member) => [...member.banned]))
  for (const [index, { node }] of attackers.entries()) {
    const attack = attackOf(index)
    const gone = banned.has(node.id) && node.links.every(({ remote }) => isHostile(remote))
    if (attack === 'flood' || attack === 'forge') expect(gone, `${attack} ${index}`).toBe(true)
  }
  expect(members.flatMap((member) => [...member.banned]).filter((id) => members.some(({ node }) => node.id === id))).toEqual([])
  expect(connected(first.node).size).toBe(good)
}
