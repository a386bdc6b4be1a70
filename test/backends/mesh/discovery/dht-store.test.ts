import HyperDHT from 'hyperdht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeEarly } from '../../../../backends/mesh/discovery/dht-store.ts'
import { DhtNode, dhtDiscovery } from '../../../../backends/mesh/discovery/index.ts'
import { startDhtTestnet, type DhtTestnet } from '../../../helpers/dht-testnet.ts'
import { all, announcementOf, soon, until } from './announcement.ts'

let net: DhtTestnet
const open: Array<() => Promise<unknown>> = []
beforeAll(async () => {
  net = await startDhtTestnet(30)
}, 60_000)
afterAll(async () => {
  await Promise.all(open.splice(0).map((close) => close()))
  await net.close()
})

async function joined(bootstrap = net.bootstrap): Promise<{ node: DhtNode; dht: HyperDHT }> {
  const node = new DhtNode({ bootstrap })
  open.push(() => node.close())
  const dht = await node.ready(AbortSignal.timeout(15_000))
  if (dht === undefined) throw new Error('the node did not join')
  return { node, dht }
}

describe('an early store', () => {
  it('is over when the first nodes hold it, and goes on until all that are near do', async () => {
    const { dht } = await joined()
    const keyPair = HyperDHT.keyPair()
    const order: string[] = []
    const storing = storeEarly(dht, (walker) => walker.mutablePut(keyPair, Buffer.from('value'), { seq: 1 }))
    await Promise.all([storing.held.then(() => order.push('held')), storing.settled.then(() => order.push('settled'))])
    expect(order).toEqual(['held', 'settled'])
    const holders = new Set<string>()
    const { dht: other } = await joined()
    const watching = Object.create(other) as HyperDHT
    watching.query = (request, options) =>
      other.query(request, {
        ...options,
        map(reply) {
          const yielded = options.map(reply)
          if (yielded !== null) holders.add(`${reply.from.host}:${reply.from.port}`)
          return yielded
        },
      })
    expect(await watching.mutableGet(keyPair.publicKey)).toMatchObject({ seq: 1 })
    expect(holders.size).toBeGreaterThanOrEqual(18)
  })

  it('asks no node twice', async () => {
    const { dht } = await joined()
    const asked: string[] = []
    const counting = Object.create(dht) as HyperDHT
    counting.query = (request, options) =>
      dht.query(request, {
        ...options,
        commit(reply, on) {
          asked.push(`${reply.from.host}:${reply.from.port}`)
          return options.commit(reply, on)
        },
      })
    // What the walk asks for at its end passes here, what was asked for early does not.
    await storeEarly(counting, (walker) => walker.mutablePut(HyperDHT.keyPair(), Buffer.from('value'), { seq: 1 })).settled
    expect(new Set(asked).size).toBe(asked.length)
  })

  it('is not held where nodes refuse an older one', async () => {
    const { dht } = await joined()
    const keyPair = HyperDHT.keyPair()
    await dht.mutablePut(keyPair, Buffer.from('new'), { seq: 9 })
    const order: string[] = []
    const storing = storeEarly(dht, (walker) => walker.mutablePut(keyPair, Buffer.from('old'), { seq: 3 }))
    await Promise.all([storing.held.then(() => order.push('held')), storing.settled.then(() => order.push('settled'))])
    expect(order).toEqual(['settled', 'held'])
  })

  it('rejects when nobody is there', async () => {
    const lonely = new HyperDHT({ bootstrap: [], host: '127.0.0.1', port: [0, 0] })
    open.push(() => lonely.destroy({ force: true }))
    const storing = storeEarly(lonely, (walker) => walker.mutablePut(HyperDHT.keyPair(), Buffer.from('value'), { seq: 1 }))
    await expect(storing.held).rejects.toThrow()
    await expect(storing.settled).rejects.toThrow()
  })
})

describe('a node that others start from', () => {
  it('needs nobody, and serves those that name it', async () => {
    const first = new DhtNode({ bootstrap: 'none', first: { host: '127.0.0.1', address: '127.0.0.1', port: 0 } })
    open.push(() => first.close())
    expect(await first.ready(AbortSignal.timeout(10_000))).toBeDefined()
    const bootstrap = [`127.0.0.1:${first.port}`]
    const [publisher, visitor] = [await joined(bootstrap), await joined(bootstrap)]
    const announcement = announcementOf()
    const announced = dhtDiscovery({ node: publisher.node }).announce(announcement)
    await until(() => announced.state === 'announced')
    expect(await all(dhtDiscovery({ node: visitor.node }).find(announcement.serviceKey, soon()))).toHaveLength(1)
    await announced.stop()
  })

  it('says that its port is taken', async () => {
    const one = new DhtNode({ bootstrap: 'none', first: { host: '127.0.0.1', address: '127.0.0.1', port: 0 } })
    open.push(() => one.close())
    await one.ready(AbortSignal.timeout(10_000))
    const two = new DhtNode({ bootstrap: 'none', first: { host: '127.0.0.1', address: '127.0.0.1', port: one.port as number } })
    open.push(() => two.close())
    expect(await two.ready(AbortSignal.timeout(10_000))).toBeUndefined()
    expect(two.status()).toMatchObject({ state: 'unreachable' })
  })
})

// Last: it takes a fifth of the nodes away.
it('stores and finds everything right after a fifth of the nodes were killed', async () => {
  const [publisher, visitor] = [await joined(), await joined()]
  expect(await net.kill(0.2)).toBe(5)
  const source = dhtDiscovery({ node: publisher.node })
  const services = Array.from({ length: 5 }, () => announcementOf())
  const announced = services.map((service) => source.announce(service))
  await until(() => announced.every(({ state }) => state === 'announced'))
  for (const { serviceKey, record } of services) {
    const [found] = await all(dhtDiscovery({ node: visitor.node }).find(serviceKey, soon()))
    expect(Buffer.from(found?.record ?? [])).toEqual(Buffer.from(record))
  }
  await joined()
  await source.close()
})
