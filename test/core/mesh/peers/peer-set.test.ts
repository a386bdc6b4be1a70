import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  Candidates,
  generateIdentity,
  MeshNode,
  PeerSet,
  ProtocolError,
  silentLogger,
  systemClock,
  type PeerGoal,
} from '../../../../core/index.ts'
import { dialLink, offerReverse } from '../../../../core/link/index.ts'
import { freezable } from '../../../helpers/freezable.ts'
import { decodePeers, encodePeers } from '../../../../core/mesh/peers/exchange.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function member(goal: PeerGoal = { min: 4, max: 12 }) {
  const identity = generateIdentity()
  const node = new MeshNode({ identity, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  open.push(() => node[Symbol.asyncDispose]())
  const { port = 0 } = (await node.listen()) ?? {}
  const contact = { host: '127.0.0.1', port }
  const candidates = new Candidates(systemClock)
  const set = new PeerSet({
    node,
    clock: systemClock,
    logger: silentLogger,
    goal,
    candidates,
    self: () => ({ participation: 'full', contacts: [contact] }),
  })
  open.push(() => set[Symbol.dispose]())
  return { node, set, candidates, key: identity.publicKey, contact }
}

describe('a set of peers', () => {
  it('grows from one bootstrap node to as many links as it wants, by asking whom the others know', { timeout: 30_000 }, async () => {
    const members = [await member()]
    for (let count = 1; count < 12; count++) {
      const next = await member()
      next.candidates.add({
        key: members[0]?.key ?? new Uint8Array(),
        contact: members[0]?.contact ?? { host: '', port: 0 },
        source: 'bootstrap',
      })
      next.set.step()
      members.push(next)
    }
    const settled = (): boolean => members.every(({ node }) => node.peers.length >= 4)
    await expect.poll(settled, { timeout: 20_000, interval: 50 }).toBe(true)
    for (const { set } of members) {
      expect(set.peers().filter(({ direction }) => direction === 'in').length).toBeLessThanOrEqual(6)
      expect(set.peers().every(({ info }) => info === undefined || info.participation === 'full')).toBe(true)
    }
    expect(members[3]?.set.coordinate.error).toBeLessThan(1)
  })

  it('makes up for peers that die', { timeout: 30_000 }, async () => {
    const members = await Promise.all(Array.from({ length: 8 }, () => member({ min: 3, max: 12 })))
    for (const { candidates } of members) for (const { key, contact } of members) candidates.add({ key, contact, source: 'bootstrap' })
    for (const { set } of members) set.step()
    await expect.poll(() => members.every(({ node }) => node.peers.length >= 3), { timeout: 20_000 }).toBe(true)
    for (const { node } of members.slice(0, 3)) await node[Symbol.asyncDispose]()
    await expect.poll(() => members.slice(3).every(({ node }) => node.peers.length >= 3), { timeout: 20_000 }).toBe(true)
  })

  it('takes half of its links from others at most', async () => {
    const hub = await member({ min: 4, max: 6 })
    const others = await Promise.all(Array.from({ length: 6 }, () => member({ min: 1, max: 4 })))
    await Promise.allSettled(others.map(({ node }) => node.connect(hub.contact, hub.key)))
    await expect.poll(() => hub.node.peers.length).toBe(3)
  })

  it('gives up a peer that carries streams and is frozen', { timeout: 30_000 }, async () => {
    const [one, other] = [await member({ min: 1, max: 4 }), await member({ min: 1, max: 4 })]
    other.node.carry({ judge: () => undefined, take: (stream) => void stream.on('error', () => {}).resume() })
    const way = await freezable(other.contact.port)
    open.push(() => way.close())
    const peer = await one.node.connect({ host: '127.0.0.1', port: way.port }, other.key)
    const stream = peer.openStream('somebody')
    stream.on('error', () => {}).write('x')
    await expect.poll(() => peer.openStreams).toBeGreaterThan(1)
    await expect.poll(() => peer.latencyMs, { timeout: 10_000 }).toBeDefined()
    const start = performance.now()
    way.freeze()
    await expect.poll(() => peer.usable, { timeout: 20_000, interval: 10 }).toBe(false)
    process.stdout.write(`a frozen peer was given up after ${Math.round(performance.now() - start)} ms\n`)
  })

  it('ends a link to a peer that answers nonsense, and one to a banned peer', async () => {
    const hub = await member({ min: 1, max: 6 })
    const identity = generateIdentity()
    const { link } = await dialLink({ to: hub.contact, expectedKey: hub.key, identity, logger: silentLogger })
    open.push(() => link.close())
    offerReverse(link, { logger: silentLogger, peerKey: link.peerKey, serve: () => Buffer.from('nonsense') })
    await expect.poll(() => link.usable).toBe(false)

    const other = await member({ min: 1, max: 6 })
    hub.candidates.add({ key: other.key, contact: other.contact, source: 'dht' })
    hub.set.ban(other.node.id, 'it lied')
    const peer = await other.node.connect(hub.contact, hub.key)
    await expect.poll(() => peer.usable).toBe(false)
    expect(hub.node.peers).toEqual([])
  })
})

it('any bytes are a list of peers or a ProtocolError', () => {
  const peers = [{ key: generateIdentity().publicKey, contact: { host: '::1', port: 65_535 } }]
  const bytes = Buffer.from(encodePeers(peers))
  expect(decodePeers(bytes)).toEqual([{ ...peers[0], key: Buffer.from(peers[0]?.key ?? []) }])
  const mutated = fc
    .tuple(fc.nat(bytes.length - 1), fc.nat(255))
    .map(([at, value]) => Buffer.from(bytes.map((byte, index) => (index === at ? value : byte))))
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (any) => {
      try {
        decodePeers(any)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
      }
    }),
  )
})
