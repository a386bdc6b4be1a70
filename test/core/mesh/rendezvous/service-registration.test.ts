import { afterEach, describe, expect, it } from 'vitest'
import {
  decodeRecord,
  generateIdentity,
  identityFromSeed,
  MeshNode,
  newRecord,
  encodeRecord,
  RecordCache,
  rendezvousNodeKey,
  rendezvousRecordKey,
  seedOf,
  serveRegistrations,
  ServiceRegistration,
  silentLogger,
  systemClock,
  UnreachableError,
  type Identity,
  type MeetingPlace,
  type ServiceRecord,
  type VisitPlace,
} from '../../../../core/index.ts'
import { NEWCOMERS_A_MINUTE, REGISTER_TOPIC } from '../../../../core/mesh/rendezvous/register.ts'
import { REGISTER_EVERY_MS } from '../../../../core/mesh/rendezvous/registration.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

const place: MeetingPlace = { key: Buffer.alloc(32), address: 'somewhere' }

/** A meeting place that notes what is registered; `fails` is thrown, `newer` is answered. */
function stage() {
  const clock = new ManualClock()
  const identity = generateIdentity()
  const taken: ServiceRecord[] = []
  const said: string[] = []
  const faults: { fails?: Error; newer?: Uint8Array } = {}
  const visit: VisitPlace<MeetingPlace> = (_place, work) =>
    work(async (_topic, body) => {
      if (faults.fails !== undefined) throw faults.fails
      const record = decodeRecord(body, { now: clock.now(), expectedKey: identity.publicKey })
      const { newer } = faults
      if (newer !== undefined && decodeRecord(newer, { now: clock.now() }).sequence >= record.sequence) return Buffer.from(newer)
      taken.push(record)
      return Buffer.alloc(0)
    })
  const registration = new ServiceRegistration({
    identity,
    name: 'myapp.local',
    places: [place],
    visit,
    clock,
    onState: (state, reason) => said.push(`${state}: ${reason}`),
  })
  return { clock, identity, taken, said, faults, registration }
}

describe('the registration of a service', () => {
  it('begins with the first address, follows it, is repeated with a new signature, and is taken back', async () => {
    const { registration, taken, clock, said } = stage()
    registration.update([])
    await clock.pass(5_000)
    expect(taken).toEqual([])
    registration.update(['http://x.onion'])
    await clock.pass(1_000)
    registration.update(['http://x.onion'])
    registration.update([])
    await clock.pass(1_000)
    expect(taken.map(({ endpoints }) => endpoints)).toEqual([['http://x.onion']])
    registration.update(['http://y.onion'])
    await clock.pass(1_000)
    expect(taken.at(-1)).toMatchObject({ endpoints: ['http://y.onion'], name: 'myapp.local', ttlSeconds: 1_800 })
    await clock.pass(REGISTER_EVERY_MS)
    expect(taken).toHaveLength(3)
    expect(taken[2]!.sequence).toBeGreaterThan(taken[1]!.sequence)
    expect(taken[2]!.issuedAt).toBeGreaterThan(taken[1]!.issuedAt)
    await registration.stop()
    expect(taken.at(-1)).toMatchObject({ tombstone: true })
    expect(taken.at(-1)!.sequence).toBeGreaterThan(taken[2]!.sequence)
    expect(clock.pending).toBe(0)
    expect(said).toEqual(['announced: 1 of 1 meeting places holds it'])
  })

  it('is tried again while the place is away, at once when the addresses come back, and says each change once', async () => {
    const { registration, taken, clock, said, faults } = stage()
    faults.fails = new UnreachableError('it is away')
    registration.update(['http://x.onion'])
    await clock.pass(300_000)
    expect(said).toEqual(['failed: no meeting place takes it: it is away'])
    delete faults.fails
    registration.update(['http://x.onion'])
    await clock.pass(500)
    expect(taken).toHaveLength(1)
    expect(said[1]).toBe('announced: 1 of 1 meeting places holds it')
    await registration.stop()
  })

  it('says that one place holds it while another one hangs, and takes it back there', async () => {
    const [clock, identity] = [new ManualClock(), generateIdentity()]
    const [taken, said] = [[] as ServiceRecord[], [] as string[]]
    const hanging: MeetingPlace = { key: Buffer.alloc(32), address: 'hanging' }
    const visit: VisitPlace<MeetingPlace> = (at, work, { signal }) =>
      at === hanging
        ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
        : work(async (_topic, body) => {
            taken.push(decodeRecord(body, { now: clock.now() }))
            return Buffer.alloc(0)
          })
    const onState = (state: string, reason: string): void => void said.push(`${state}: ${reason}`)
    const registration = new ServiceRegistration({ identity, name: 'myapp.local', places: [hanging, place], visit, clock, onState })
    registration.update(['http://x.onion'])
    await clock.pass(4_000)
    expect([taken.length, said.length]).toEqual([1, 0])
    await clock.pass(2_000)
    expect(said).toEqual(['announced: 1 of 2 meeting places holds it'])
    const stopping = registration.stop()
    await expect.poll(() => taken.at(-1)?.tombstone).toBe(true)
    await stopping
    expect(clock.pending).toBe(0)
  })

  it('outdoes a newer record of its own key, and believes none of another', async () => {
    const { registration, taken, clock, identity, faults } = stage()
    const ahead = newRecord({ serviceKey: identity.publicKey, endpoints: [] }, { now: clock.now(), previous: 1_000_000 })
    faults.newer = encodeRecord(ahead, identity)
    registration.update(['http://x.onion'])
    await clock.pass(5_000)
    expect(taken[0]!.sequence).toBe(ahead.sequence + 1)
    await registration.stop()
    const lied = stage()
    const other = generateIdentity()
    lied.faults.newer = encodeRecord(newRecord({ serviceKey: other.publicKey, endpoints: [] }, { now: 0, previous: 1_000_000 }), other)
    lied.registration.update(['http://x.onion'])
    await lied.clock.pass(1_000)
    expect(lied.said[0]).toContain('of another key')
    await lied.registration.stop()
  })
})

describe('the keys that stand for a service at meeting places', () => {
  it('come back with the service key, and are neither it nor each other', () => {
    const service = identityFromSeed(new Uint8Array(32).fill(7))
    const again = identityFromSeed(seedOf(service))
    const keys = [service, rendezvousRecordKey(service, 'a.local'), rendezvousRecordKey(service, 'b.local'), rendezvousNodeKey(service)]
    const hex = ({ publicKey }: Identity): string => Buffer.from(publicKey).toString('hex')
    expect(new Set(keys.map(hex)).size).toBe(4)
    expect(hex(rendezvousRecordKey(again, 'a.local'))).toBe(hex(keys[1]!))
    expect(hex(rendezvousNodeKey(again))).toBe(hex(keys[3]!))
  })
})

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

it('a place where nobody has an address takes a bounded number of newcomers a minute, and always those that it knows', async () => {
  const identity = generateIdentity()
  const clock = new ManualClock()
  const node = new MeshNode({ identity, clock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  const stranger = new MeshNode({ identity: generateIdentity(), clock: systemClock, logger: silentLogger })
  open.push(() => node[Symbol.asyncDispose]())
  const { port = 0 } = (await node.listen()) ?? {}
  const registered = new RecordCache(clock)
  serveRegistrations(node, registered, clock, { hidden: true })
  const signed = (service: Identity, sequence = 1): Uint8Array =>
    encodeRecord({ ...newRecord({ serviceKey: service.publicKey, endpoints: [] }, { now: clock.now() }), sequence }, service)
  const register = (bytes: Uint8Array): Promise<Buffer> =>
    stranger.inquire({ host: '127.0.0.1', port }, identity.publicKey, REGISTER_TOPIC, { body: bytes })
  const first = generateIdentity()
  await register(signed(first))
  // The others come over one link: here, it is the number that counts.
  const peer = await stranger.connect({ host: '127.0.0.1', port }, identity.publicKey)
  for (let count = 1; count < NEWCOMERS_A_MINUTE; count++) await peer.ask(REGISTER_TOPIC, signed(generateIdentity()))
  expect(registered.size).toBe(NEWCOMERS_A_MINUTE)
  await expect(register(signed(generateIdentity()))).rejects.toMatchObject({ code: 'BEAM_ERR_RATE_LIMITED' })
  await register(signed(first, 2))
  expect(registered.entry(first.publicKey)?.record.sequence).toBe(2)
  await clock.pass(60_000)
  await register(signed(generateIdentity()))
  expect(registered.size).toBe(NEWCOMERS_A_MINUTE + 1)
  await stranger[Symbol.asyncDispose]()
})
