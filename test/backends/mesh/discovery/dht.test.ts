import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import HyperDHT from 'hyperdht'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { DhtNode, dhtDiscovery } from '../../../../backends/mesh/discovery/index.ts'
import { generateIdentity, identityFromSeed, seedOf, type Announcement, type Discovery } from '../../../../core/index.ts'
import { startDhtTestnet, type DhtTestnet } from '../../../helpers/dht-testnet.ts'
import { all, announcementOf, soon, until } from './announcement.ts'
import { udpHandles } from './open-handles.ts'

let testnet: DhtTestnet
const open: Array<{ close(): Promise<void> }> = []

beforeAll(async () => {
  testnet = await startDhtTestnet(8)
})
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})
afterAll(() => testnet.close())

/** A source with a node of its own, as another process has it. */
function source(bootstrap: readonly string[] = testnet.bootstrap): Discovery & { readonly node: DhtNode } {
  const node = new DhtNode({ bootstrap, random: () => 0.01 })
  const discovery = dhtDiscovery({ node, random: () => 0.01 })
  open.push(node, discovery)
  return Object.assign(discovery, { node })
}

async function announce(publisher: Discovery, fields: Partial<Announcement> = {}, identity = generateIdentity()) {
  const announcement = announcementOf(fields, identity)
  const announced = publisher.announce(announcement)
  await until(() => announced.state === 'announced')
  return { announcement, announced }
}

const recordsOf = async (visitor: Discovery, serviceKey: Uint8Array): Promise<Buffer[]> =>
  (await all(visitor.find(serviceKey, soon()))).flatMap(({ record }) => (record === undefined ? [] : [Buffer.from(record)]))

describe('the DHT', () => {
  it('hands over the record that another node stored', async () => {
    const publisher = source()
    const { announcement } = await announce(publisher)
    const visitor = source()
    expect(await recordsOf(visitor, announcement.serviceKey)).toEqual([Buffer.from(announcement.record)])
    expect(await all(visitor.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(visitor.status()).toMatchObject({ state: 'ready' })
    expect(visitor.status().peers).toBeGreaterThanOrEqual(6)
  })

  it('replaces the record by a newer one, and ignores an older one', async () => {
    const publisher = source()
    const visitor = source()
    const { announcement, announced } = await announce(publisher)
    announced.update(Buffer.from('older'), announcement.sequence - 1)
    announced.update(Buffer.from('newer'), announcement.sequence + 1)
    await expect.poll(async () => (await recordsOf(visitor, announcement.serviceKey)).at(-1)?.toString()).toBe('newer')
    expect(announced.state).toBe('announced')
  })

  it('says when somebody stored a higher sequence number, and heals with the next update', async () => {
    const identity = generateIdentity()
    const visitor = source()
    await announce(source(), { sequence: 50, record: Buffer.from('the newer one') }, identity)

    const onSuperseded = vi.fn()
    const onState = vi.fn()
    const late = source().announce(announcementOf({ sequence: 20, record: Buffer.from('too old'), onSuperseded }, identity), onState)
    await until(() => late.state === 'failed')
    expect(onSuperseded).toHaveBeenCalledWith(50)
    expect(onState).toHaveBeenCalledWith('failed', expect.stringContaining('sequence number 50; this one has 20'))
    expect((await recordsOf(visitor, identity.publicKey)).at(-1)?.toString()).toBe('the newer one')

    late.update(Buffer.from('newest'), 51)
    await until(() => late.state === 'announced')
    expect((await recordsOf(visitor, identity.publicKey)).at(-1)?.toString()).toBe('newest')
  })

  it('does not take a second record with the same number for its own', async () => {
    const identity = generateIdentity()
    await announce(source(), { record: Buffer.from('one') }, identity)
    const second = source().announce(announcementOf({ record: Buffer.from('two') }, identity))
    await until(() => second.state === 'failed')
  })

  it('finds everybody who claims a name, each once, in any spelling', async () => {
    const publishers = [source(), source()]
    const keys: string[] = []
    for (const publisher of publishers) {
      const { announcement } = await announce(publisher, { domain: 'MyApp.local' })
      keys.push(Buffer.from(announcement.serviceKey).toString('hex'))
    }
    const found = (await all(source().claimants('myapp.LOCAL', soon()))).map((key) => Buffer.from(key).toString('hex'))
    expect(found.toSorted()).toEqual(keys.toSorted())
    expect(await all(source().claimants('other.local', soon()))).toEqual([])
  })

  it('withdraws record, name and stream', async () => {
    const publisher = source()
    const { announcement, announced } = await announce(publisher, { domain: 'gone.local', onStream: (stream) => stream.destroy() })
    const visitor = source()
    await expect.poll(() => all(visitor.find(announcement.serviceKey, soon()))).toHaveLength(2)
    await announced.stop()
    expect(await all(visitor.find(announcement.serviceKey, soon()))).toEqual([])
    expect(await all(visitor.claimants('gone.local', soon()))).toEqual([])
    // A service that comes back under the same key is found again.
    await announce(publisher, { sequence: announcement.sequence + 2 }, identityFromSeed(announcement.seed))
    expect(await recordsOf(visitor, announcement.serviceKey)).toHaveLength(1)
  })

  it('leaves the withdrawal that the publisher signed', async () => {
    const withdrawal = vi.fn((sequence: number) => ({ record: Buffer.from(`withdrawn after ${sequence}`), sequence: sequence + 1 }))
    const { announcement, announced } = await announce(source(), { withdrawal })
    announced.update(Buffer.from('newer'), 30)
    await announced.stop()
    expect(withdrawal).toHaveBeenCalledTimes(1)
    expect((await recordsOf(source(), announcement.serviceKey)).map(String)).toEqual(['withdrawn after 30'])
  })

  it('stops without a fuss although the name is none', async () => {
    const announced = source().announce(announcementOf({ domain: 'not a name' }))
    await until(() => announced.state === 'failed')
    await announced.stop()
  })

  it('ends a search when the signal fires or the source is closed', async () => {
    const visitor = source()
    expect(await all(visitor.find(announcementOf().serviceKey, { signal: AbortSignal.abort() }))).toEqual([])
    const search = all(visitor.find(announcementOf().serviceKey, soon()))
    await visitor.close()
    expect(await search).toEqual([])
  })

  it('announces again when the network has changed', async () => {
    const publisher = source()
    const { announced, announcement } = await announce(publisher)
    const visitor = source()
    expect(await recordsOf(visitor, announcement.serviceKey)).toHaveLength(1)
    const dht = await publisher.node.ready(new AbortController().signal)
    // The record is lost in the DHT: here by a tombstone that another holder of the key stored.
    const keyPair = HyperDHT.keyPair(announcement.seed)
    await dht?.mutablePut(keyPair, Uint8Array.of(0), { seq: announcement.sequence + 5 })
    expect(await recordsOf(visitor, announcement.serviceKey)).toEqual([])
    announced.update(Buffer.from('again'), announcement.sequence + 6)
    await expect.poll(() => recordsOf(visitor, announcement.serviceKey)).toHaveLength(1)

    const put = vi.spyOn(dht as HyperDHT, 'mutablePut')
    dht?.emit('network-change', [])
    await expect.poll(() => put.mock.calls.length).toBe(1)
    dht?.emit('wakeup')
    await expect.poll(() => put.mock.calls.length).toBe(2)
  })

  it('passes over values that are no records', async () => {
    const identity = generateIdentity()
    const other = source()
    const dht = await other.node.ready(new AbortController().signal)
    await dht?.mutablePut(HyperDHT.keyPair(seedOf(identity)), Uint8Array.of(0), { seq: 1 })
    expect(await all(source().find(identity.publicKey, soon()))).toEqual([])
  })
})

describe('the DHT node', () => {
  it('joins once for all that use it, and leaves nothing open', async () => {
    const before = udpHandles()
    const node = new DhtNode({ bootstrap: testnet.bootstrap })
    const sources = [dhtDiscovery({ node }), dhtDiscovery({ node })]
    expect(node.status()).toEqual({ state: 'idle' })
    expect(udpHandles()).toBe(before)
    await Promise.all(sources.map((one) => announce(one, { onStream: (stream) => stream.destroy() })))
    // One socket to ask and one to be asked.
    expect(udpHandles()).toBe(before + 2)
    await Promise.all(sources.map((one) => one.close()))
    await node.close()
    await node.close()
    expect(udpHandles()).toBe(before)
    expect(await node.ready(new AbortController().signal)).toBeUndefined()
  })

  it('opens nothing without bootstrap nodes', async () => {
    const before = udpHandles()
    const node = new DhtNode({ bootstrap: 'none' })
    const discovery = dhtDiscovery({ node })
    const onState = vi.fn()
    const announced = discovery.announce(announcementOf({ onStream: () => {} }), onState)
    expect(await all(discovery.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(await all(discovery.claimants('a.local', soon()))).toEqual([])
    expect(announced.state).toBe('failed')
    expect(onState).toHaveBeenCalledWith('failed', 'no bootstrap nodes are configured')
    expect(discovery.status()).toEqual({ state: 'off', detail: 'no bootstrap nodes are configured' })
    expect(udpHandles()).toBe(before)
    await discovery.close()
    await node.close()
  })

  it('says that nobody answers, holds nobody up, and joins as soon as somebody does', async () => {
    const gone = await startDhtTestnet(1)
    await gone.close()
    const lost = source(gone.bootstrap)
    const started = Date.now()
    const onState = vi.fn()
    const announced = lost.announce(announcementOf({ onStream: () => {} }), onState)
    expect(lost.status()).toEqual({ state: 'starting' })
    expect(await all(lost.find(announcementOf().serviceKey, soon()))).toEqual([])
    const firstMs = Date.now() - started
    expect(lost.status()).toEqual({ state: 'unreachable', detail: 'no bootstrap node answers' })
    expect(announced.state).toBe('failed')
    expect(onState).toHaveBeenCalledWith('failed', 'no bootstrap node answers')
    // Known by now: the next search waits for a second at most.
    const again = Date.now()
    expect(await all(lost.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(Date.now() - again).toBeLessThan(firstMs)

    const port = Number(gone.bootstrap[0]?.split(':')[1])
    const back = await startDhtTestnet(4, { port })
    open.unshift(back)
    expect(back.bootstrap).toEqual(gone.bootstrap)
    await until(() => announced.state === 'announced')
    expect(lost.status()).toMatchObject({ state: 'ready' })
  })

  it.each(['announced', 'unreachable', 'starting', 'none'])('lets a process end by itself: %s', async (situation) => {
    const bootstrap = situation === 'announced' ? testnet.bootstrap : situation === 'none' ? ['none'] : ['127.0.0.1:9']
    const main = fileURLToPath(new URL('dht-child.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main, situation, bootstrap[0] ?? ''], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (text: Buffer) => (output += text.toString()))
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(JSON.parse(output)).toEqual({ closedWithinMs: expect.toSatisfy((ms: number) => ms < 2_500), udp: 0 })
  })
})
