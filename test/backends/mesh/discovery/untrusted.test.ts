import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { DhtNode, dhtDiscovery, MultiDiscovery } from '../../../../backends/mesh/discovery/index.ts'
import { findContacts } from '../../../../backends/mesh/find-contacts.ts'
import { resolveName } from '../../../../backends/mesh/names.ts'
import { GossipDiscovery } from '../../../../backends/mesh/network/gossip-discovery.ts'
import { formatNodeAddress } from '../../../../backends/mesh/network/node-address.ts'
import { RendezvousDiscovery } from '../../../../backends/mesh/network/rendezvous-discovery.ts'
import {
  encodeRecord,
  formatBeamAddress,
  generateIdentity,
  MeshNode,
  newRecord,
  openPins,
  RecordCache,
  seedOf,
  serveLookups,
  serveRegistrations,
  silentLogger,
  systemClock,
  tombstoneOf,
  type Contact,
  type Discovery,
  type Gossip,
  type Identity,
  type ServiceRecord,
} from '../../../../core/index.ts'
import { startDhtTestnet } from '../../../helpers/dht-testnet.ts'
import { testPaths } from '../../../helpers/mesh.ts'
import { soon } from './announcement.ts'

const HOUR = 3_600_000
const open: Array<() => unknown> = []
const clock = systemClock

/** A source as a visitor asks it, and how a stranger puts bytes there. */
interface Place {
  readonly source: Discovery
  put(identity: Identity, bytes: Uint8Array, sequence: number): Promise<unknown>
}
const places: Record<string, Place> = {}

beforeAll(async () => {
  const net = await startDhtTestnet(6)
  open.push(() => net.close())
  const [asking, storing] = [new DhtNode({ bootstrap: net.bootstrap }), new DhtNode({ bootstrap: net.bootstrap })]
  open.push(() => Promise.all([asking.close(), storing.close()]))
  places['dht'] = {
    source: dhtDiscovery({ node: asking }),
    async put(identity, bytes, sequence) {
      const dht = await storing.ready(AbortSignal.timeout(10_000))
      await dht?.mutablePut(storing.library.keyPair(seedOf(identity)), Buffer.from(bytes), { seq: sequence })
    },
  }
  const records = new RecordCache(clock)
  const gossip = { publish: () => {} } as unknown as Gossip
  places['gossip'] = {
    source: new GossipDiscovery({ current: { gossip, records, peers: () => 1 } }),
    put: async (_identity, bytes) => [records.take(bytes, 'somebody', false), records.take(bytes, 'somebody', true)],
  }
  const key = generateIdentity()
  const node = new MeshNode({ identity: key, clock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  open.push(() => node[Symbol.asyncDispose]())
  const { port = 0 } = (await node.listen()) ?? {}
  const registered = new RecordCache(clock)
  serveLookups(node, registered)
  serveRegistrations(node, registered, clock)
  const peers = [formatNodeAddress(key.publicKey, { host: '127.0.0.1', port })]
  const rendezvous = new RendezvousDiscovery({ peers, clock, logger: silentLogger })
  open.push(() => rendezvous.close())
  places['rendezvous'] = {
    source: rendezvous,
    put: async (_identity, body) =>
      node.inquire({ host: '127.0.0.1', port }, key.publicKey, 'records/register', { body }).catch(() => undefined),
  }
  // A node that answers whatever is asked with whatever it likes.
  const lies = new Map<string, Uint8Array>()
  const liarKey = generateIdentity()
  const liar = new MeshNode({ identity: liarKey, clock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  open.push(() => liar[Symbol.asyncDispose]())
  const { port: liarPort = 0 } = (await liar.listen()) ?? {}
  liar.serve('records/find', (body) => lies.get(body.toString('hex')) ?? new Uint8Array())
  const believing = new RendezvousDiscovery({
    peers: [formatNodeAddress(liarKey.publicKey, { host: '127.0.0.1', port: liarPort })],
    clock,
    logger: silentLogger,
  })
  open.push(() => believing.close())
  places['hostile node'] = {
    source: believing,
    put: async (identity, bytes) => lies.set(Buffer.from(identity.publicKey).toString('hex'), bytes),
  }
}, 30_000)
afterAll(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

function signed(identity: Identity, over: Partial<ServiceRecord> = {}): { readonly record: ServiceRecord; readonly bytes: Uint8Array } {
  const record = {
    ...newRecord({ serviceKey: identity.publicKey, name: 'web.local', endpoints: ['/ip4/127.0.0.1/tcp/80'] }, { now: Date.now() }),
    ...over,
  }
  return { record, bytes: encodeRecord(record, identity) }
}

async function found(
  source: Discovery,
  identity: Identity,
  options: { skewMs?: number; onUntimely?: () => void } = {},
): Promise<Contact[]> {
  const { skewMs = 0, ...rest } = options
  const contacts: Contact[] = []
  for await (const contact of findContacts(source, identity.publicKey, { ...soon(), now: () => Date.now() + skewMs, ...rest }))
    contacts.push(contact)
  return contacts
}

describe.each(['dht', 'gossip', 'rendezvous', 'hostile node'])('what comes from %s', (name) => {
  const place = (): Place => places[name] as Place

  it('is believed when it is genuine', async () => {
    const service = generateIdentity()
    const { record, bytes } = signed(service)
    await place().put(service, bytes, record.sequence)
    expect(await found(place().source, service)).toEqual([{ kind: 'tcp', host: '127.0.0.1', port: 80 }])
  })

  it('leads nowhere when it is forged, of another service, out of its time, too large or noise', async () => {
    const other = generateIdentity()
    const bad = [
      (service: Identity) => signed(service).bytes.map((byte, index, { length }) => (index === length - 1 ? byte ^ 1 : byte)),
      () => signed(other).bytes,
      (service: Identity) => signed(service, { issuedAt: Date.now() - 2 * HOUR }).bytes,
      (service: Identity) => signed(service, { issuedAt: Date.now() + HOUR }).bytes,
      () => randomBytes(901),
      () => randomBytes(100),
      () => Buffer.alloc(0),
    ]
    for (const make of bad) {
      const service = generateIdentity()
      await place().put(service, make(service), 5)
      expect(await found(place().source, service)).toEqual([])
    }
  })

  it('is said to be out of its time where a clock is an hour wrong', async () => {
    const service = generateIdentity()
    const { record, bytes } = signed(service)
    await place().put(service, bytes, record.sequence)
    for (const skewMs of [-HOUR, 2 * HOUR]) {
      const onUntimely = vi.fn()
      expect(await found(place().source, service, { skewMs, onUntimely })).toEqual([])
      expect(onUntimely).toHaveBeenCalled()
    }
  })
})

describe('a record', () => {
  it.each(['dht', 'gossip', 'rendezvous'])(
    'is the newer of two, and nothing after a withdrawal, whatever is replayed: %s',
    async (name) => {
      const place = places[name] as Place
      const service = generateIdentity()
      const [old, newer] = [signed(service), signed(service, { sequence: Date.now() + 10, endpoints: ['/ip4/127.0.0.1/tcp/81'] })]
      await place.put(service, newer.bytes, newer.record.sequence)
      await place.put(service, old.bytes, old.record.sequence).catch(() => {})
      expect(await found(place.source, service)).toEqual([{ kind: 'tcp', host: '127.0.0.1', port: 81 }])
      const gone = tombstoneOf(newer.record, { now: Date.now() })
      await place.put(service, encodeRecord(gone, service), gone.sequence)
      await place.put(service, newer.bytes, newer.record.sequence).catch(() => {})
      expect(await found(place.source, service)).toEqual([])
    },
  )
})

describe('sources that contradict each other', () => {
  const all = (): Discovery => new MultiDiscovery(Object.values(places).map(({ source }) => source))

  it('count by sequence number: the newest wins, and a withdrawal ends all', async () => {
    const service = generateIdentity()
    const old = signed(service)
    const newer = signed(service, { sequence: old.record.sequence + 1, endpoints: ['/ip4/127.0.0.1/tcp/81'] })
    await places['hostile node']?.put(service, old.bytes, 0)
    await places['dht']?.put(service, newer.bytes, newer.record.sequence)
    expect((await found(all(), service)).at(-1)).toMatchObject({ port: 81 })
    const gone = tombstoneOf(newer.record, { now: Date.now() })
    await places['gossip']?.put(service, encodeRecord(gone, service), gone.sequence)
    // The one in memory answers first: what comes later from the others is older, and not dialled.
    expect(await found(all(), service)).toEqual([])
  })

  it('show all claimants of a name, and never lead to another than the first that was accepted', async () => {
    await using paths = await testPaths()
    const pins = openPins(paths)
    const [first, second] = [generateIdentity(), generateIdentity()]
    const name = 'mixed.example'
    const resolve = (onWarning?: (code: string, message: string) => void): Promise<string> =>
      resolveName(
        name,
        { ...soon(), ...(onWarning && { onWarning }) },
        {
          discovery: all(),
          pins,
          clock,
          fetchRecord: () => Promise.reject(new Error('nobody is dialled here')),
        },
      )
    const claim = async (where: string, identity: Identity): Promise<void> => {
      const { record, bytes } = signed(identity, { name })
      await places[where]?.put(identity, bytes, record.sequence)
    }
    await claim('gossip', first)
    expect(await resolve()).toBe(formatBeamAddress(first.publicKey))
    await claim('rendezvous', second)
    const warned = vi.fn()
    expect(await resolve(warned)).toBe(formatBeamAddress(first.publicKey))
    await pins.forget(name)
    await expect(resolve()).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_AMBIGUOUS' })
  })
})
