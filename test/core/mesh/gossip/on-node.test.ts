import { afterAll, expect, it } from 'vitest'
import { generateIdentity, gossipOn, MeshNode, silentLogger, systemClock } from '../../../../core/index.ts'
import { seeded } from '../../../simulation/gossip-rounds.ts'

const open: Array<() => unknown> = []
afterAll(async () => {
  for (const close of open.reverse()) await close()
})

it('in a network of fifty nodes everybody hears an announcement, within a second of the first word', { timeout: 60_000 }, async () => {
  const COUNT = 50
  const random = seeded(7)
  const heardAt: Array<number | undefined> = []
  const nodes = await Promise.all(
    Array.from({ length: COUNT }, async (_, index) => {
      const identity = generateIdentity()
      const node = new MeshNode({ identity, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
      open.push(() => node[Symbol.asyncDispose]())
      const { port = 0 } = (await node.listen()) ?? {}
      const { gossip, [Symbol.dispose]: end } = gossipOn(node, {
        identity,
        clock: systemClock,
        logger: silentLogger,
        take: () => {
          heardAt[index] ??= performance.now()
          return 'good'
        },
      })
      open.push(end)
      return { node, gossip, key: identity.publicKey, at: { host: '127.0.0.1', port } }
    }),
  )
  for (const { node } of nodes) {
    const others = [...nodes].sort(() => random() - 0.5).filter((other) => other.node !== node)
    for (const { at, key } of others.slice(0, 5)) await node.connect(at, key)
  }
  await expect.poll(() => nodes.every(({ node }) => node.peers.length >= 5), { timeout: 30_000 }).toBe(true)
  const start = performance.now()
  nodes[0]?.gossip.publish({ type: 'announce', payload: Buffer.alloc(400) })
  // Generous: the machine may be busy. What was measured is printed.
  await expect.poll(() => heardAt.filter((at) => at !== undefined).length, { timeout: 20_000, interval: 10 }).toBe(COUNT - 1)
  const took = Math.max(...heardAt.filter((at) => at !== undefined)) - start
  process.stderr.write(`gossip: ${COUNT - 1} of ${COUNT - 1} nodes after ${Math.round(took)} ms\n`)
})
