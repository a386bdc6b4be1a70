import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatNodeAddress } from '../../../../backends/mesh/network/node-address.ts'
import { RendezvousDiscovery } from '../../../../backends/mesh/network/rendezvous-discovery.ts'
import {
  decodeRecord,
  encodeRecord,
  generateIdentity,
  MeshNode,
  newRecord,
  RecordCache,
  seedOf,
  serveLookups,
  serveRegistrations,
  silentLogger,
  systemClock,
  tombstoneOf,
  type Announcement,
  type Identity,
} from '../../../../core/index.ts'
import { all, soon, until } from '../discovery/announcement.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function meetingPlace(identity: Identity = generateIdentity(), port = 0) {
  const node = new MeshNode({ identity, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port } })
  open.push(() => node[Symbol.asyncDispose]())
  const where = await node.listen()
  const registered = new RecordCache(systemClock)
  serveLookups(node, registered)
  serveRegistrations(node, registered, systemClock)
  return { node, registered, address: formatNodeAddress(identity.publicKey, { host: '127.0.0.1', port: where?.port ?? 0 }) }
}

function discovery(peers: readonly string[], morePeers?: () => Promise<readonly string[]>): RendezvousDiscovery {
  const source = new RendezvousDiscovery({ peers, clock: systemClock, logger: silentLogger, ...(morePeers && { morePeers }) })
  open.push(() => source.close())
  return source
}

function announcement(identity = generateIdentity(), over: Partial<Announcement> = {}): Announcement {
  const record = newRecord(
    { serviceKey: identity.publicKey, name: 'shop.example', endpoints: ['/ip4/127.0.0.1/tcp/80'] },
    { now: Date.now() },
  )
  return {
    serviceKey: identity.publicKey,
    seed: seedOf(identity),
    record: encodeRecord(record, identity),
    sequence: record.sequence,
    port: 80,
    domain: 'shop.example',
    withdrawal: () => {
      const gone = tombstoneOf(record, { now: Date.now() })
      return { record: encodeRecord(gone, identity), sequence: gone.sequence }
    },
    ...over,
  }
}

describe('discovery by meeting places', () => {
  it('finds what was registered, by key and by name, and no longer when it has ended', async () => {
    const [one, two] = [await meetingPlace(), await meetingPlace()]
    const what = announcement()
    const announced = discovery([one.address, two.address]).announce(what)
    await until(() => announced.state === 'announced')
    const visitor = discovery([two.address])
    const found = await all(visitor.find(what.serviceKey, soon()))
    expect(found.map(({ record }) => Buffer.from(record ?? []))).toEqual([Buffer.from(what.record)])
    expect(await all(visitor.claimants('shop.example', soon()))).toEqual([Buffer.from(what.serviceKey)])
    await announced.stop()
    expect(await all(visitor.claimants('shop.example', soon()))).toEqual([])
    const [left] = await all(visitor.find(what.serviceKey, soon()))
    expect(decodeRecord(left?.record ?? new Uint8Array(), { now: Date.now() }).tombstone).toBe(true)
  })

  it('goes on with those that answer, and says why when none does', async () => {
    const [gone, alive] = [await meetingPlace(), await meetingPlace()]
    await gone.node[Symbol.asyncDispose]()
    const onState = vi.fn()
    const announced = discovery([gone.address, alive.address]).announce(announcement(), onState)
    await until(() => announced.state === 'announced')
    expect(onState).toHaveBeenCalledWith('announced', '1 of 2 meeting places holds it')
    const onOther = vi.fn()
    const lost = discovery([gone.address]).announce(announcement(), onOther)
    await until(() => lost.state === 'failed')
    expect(onOther).toHaveBeenCalledWith('failed', expect.stringContaining('no meeting place takes it'))
    expect(await all(discovery([gone.address]).find(generateIdentity().publicKey, soon()))).toEqual([])
  })

  it('tells the publisher of a newer record, and registers the one that it signs then', async () => {
    const place = await meetingPlace()
    const identity = generateIdentity()
    const ahead = newRecord({ serviceKey: identity.publicKey, endpoints: [] }, { now: Date.now(), previous: Date.now() + 1_000_000 })
    place.registered.keep(ahead, encodeRecord(ahead, identity), 'nearby')
    const onSuperseded = vi.fn()
    const announced = discovery([place.address]).announce(announcement(identity, { onSuperseded }))
    await until(() => announced.state === 'failed')
    expect(onSuperseded).toHaveBeenCalledWith(ahead.sequence)
    const next = newRecord({ serviceKey: identity.publicKey, endpoints: [] }, { now: Date.now(), previous: ahead.sequence })
    announced.update(encodeRecord(next, identity), next.sequence)
    await until(() => announced.state === 'announced')
    expect(place.registered.entry(identity.publicKey)?.record.sequence).toBe(next.sequence)
  })

  it('takes meeting places that are found later, and none when there are none', async () => {
    const place = await meetingPlace()
    const announced = discovery([], async () => [place.address]).announce(announcement())
    await until(() => announced.state === 'announced')
    expect(place.registered.size).toBe(1)
    expect(discovery([]).announce(announcement()).state).toBe('pending')
    expect(discovery([]).status()).toEqual({ state: 'off' })
  })
})
