import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { MeshBackend } from '../../../../backends/mesh/index.ts'
import { formatNodeAddress, parseNodeAddress } from '../../../../backends/mesh/network/node-address.ts'
import type { MeshNetwork, MeshNetworkOptions } from '../../../../backends/mesh/network/mesh-network.ts'
import { encodeHeartbeat, generateIdentity } from '../../../../core/index.ts'
import { testMesh, testPaths } from '../../../helpers/mesh.ts'
import { testNetwork } from '../../../helpers/mesh-network.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const network = (over: Partial<MeshNetworkOptions> = {}): Promise<MeshNetwork> => testNetwork(open, over)

async function echoPort(): Promise<number> {
  const server = createServer((socket) => void socket.pipe(socket).on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  open.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as { port: number }).port
}

async function say(backend: MeshBackend, address: string, hops?: number): Promise<string> {
  const stream = await backend.dial(address, hops === undefined ? {} : { network: { hops } })
  stream.end('hello through the mesh')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

describe('the address of a node', () => {
  it('says its key and where it is', () => {
    const { publicKey } = generateIdentity()
    for (const contact of [
      { host: '127.0.0.1', port: 4001 },
      { host: '::1', port: 1 },
    ]) {
      expect(parseNodeAddress(formatNodeAddress(publicKey, contact))).toEqual({ key: Buffer.from(publicKey), ...contact })
    }
  })

  it('is refused when it is none', () => {
    for (const bad of [
      '',
      'beam-node:x@h:1',
      `beam-node:${'a'.repeat(56)}@127.0.0.1:1`,
      formatNodeAddress(generateIdentity().publicKey, { host: 'h', port: 70_000 }),
    ])
      expect(() => parseNodeAddress(bad)).toThrow(/no address of a node/)
  })
})

describe('a network', () => {
  it('of nodes that know one of them finds together, and hears who lives', { timeout: 30_000 }, async () => {
    const first = await network()
    const others = await Promise.all(Array.from({ length: 5 }, () => network({ peers: first.addresses })))
    await expect.poll(() => Math.min(...others.map(({ node }) => node.peers.length)), { timeout: 20_000 }).toBeGreaterThanOrEqual(3)
    expect(first.keyKept).toBe(true)
    first.gossip.publish({ type: 'heartbeat', payload: encodeHeartbeat(first.peers.self()) })
    await expect.poll(() => others.every((other) => other.heard().some(({ id }) => id === first.node.id)), { timeout: 10_000 }).toBe(true)
  })

  it('remembers its good peers for the next start', { timeout: 30_000 }, async () => {
    const first = await network()
    const paths = await testPaths()
    open.push(() => paths[Symbol.asyncDispose]())
    const before = await network({ paths, peers: first.addresses })
    await expect.poll(() => before.node.peers.length, { timeout: 10_000 }).toBe(1)
    await before[Symbol.asyncDispose]()
    const after = await network({ paths })
    expect(after.node.id).toBe(before.node.id)
    await expect.poll(() => after.node.peers.length, { timeout: 10_000 }).toBe(1)
  })
})

describe('a service behind relays', () => {
  it('is reached through one, and through two of which none knows both ends', { timeout: 60_000 }, async () => {
    const [one, two, three] = [await network(), await network(), await network()]
    const known = [one, two, three].flatMap(({ addresses }) => addresses)
    const [atHome, away] = [await testPaths(), await testPaths()]
    open.push(() => atHome[Symbol.asyncDispose]())
    open.push(() => away[Symbol.asyncDispose]())
    // Different users: neither sees the other's registry, so only gossip tells where the service is.
    const publisher = await testMesh(atHome, {}, { peers: known })
    open.push(() => publisher[Symbol.asyncDispose]())
    const { endpoints } = await publisher.startTunnel(await echoPort())
    const address = endpoints[0]?.address ?? ''
    const visitor = await testMesh(away, {}, { peers: known, participation: 'routing' })
    open.push(() => visitor[Symbol.asyncDispose]())
    await expect
      .poll(async () => say(visitor, address, 1).catch((error: Error) => error.message), { timeout: 30_000, interval: 250 })
      .toBe('hello through the mesh')
    expect(await visitor.reach(address, { network: { hops: 1 } })).toMatchObject({ kind: 'relayed', hops: 1 })
    const relayed = [one, two, three].reduce((sum, { relayed: figures }) => sum + (figures?.streams ?? 0), 0)
    expect(relayed).toBeGreaterThan(0)
    for (const relay of [one, two, three]) {
      relay.gossip.publish({ type: 'heartbeat', payload: encodeHeartbeat(relay.peers.self()) })
    }
    await expect
      .poll(async () => say(visitor, address, 2).catch((error: Error) => error.message), { timeout: 30_000, interval: 250 })
      .toBe('hello through the mesh')
    expect(await visitor.reach(address, { network: { hops: 2 } })).toMatchObject({ kind: 'relayed', hops: 2 })
  })
})
