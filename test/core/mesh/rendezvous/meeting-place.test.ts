import { afterEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import {
  decodeClaimants,
  generateIdentity,
  LOOKUP_TOPICS,
  MeshNode,
  RecordCache,
  silentLogger,
  type Identity,
} from '../../../../core/index.ts'
import { REGISTER_TOPIC, registerRecord, serveRegistrations } from '../../../../core/mesh/rendezvous/register.ts'
import { serveLookups } from '../../../../core/mesh/rendezvous/lookup.ts'
import { encodeRecord } from '../../../../core/records/codec.ts'
import { newRecord, tombstoneOf, type ServiceRecord } from '../../../../core/records/record.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

const clock = new ManualClock()
const now = (): number => Math.floor(clock.now())
const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A meeting place, and how a stranger asks it. */
async function place() {
  const identity = generateIdentity()
  const node = new MeshNode({ identity, clock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  const stranger = new MeshNode({ identity: generateIdentity(), clock, logger: silentLogger })
  open.push(() => node[Symbol.asyncDispose]())
  const { port = 0 } = (await node.listen()) ?? {}
  const [heard, registered] = [new RecordCache(clock), new RecordCache(clock)]
  serveLookups(node, heard, registered)
  serveRegistrations(node, registered, clock)
  const ask = (topic: string, body: Uint8Array): Promise<Buffer> =>
    stranger.inquire({ host: '127.0.0.1', port }, identity.publicKey, topic, { body })
  const register = (service: Identity, bytes: Uint8Array): Promise<ServiceRecord | undefined> =>
    registerRecord(ask, bytes, { now: now(), serviceKey: service.publicKey })
  return { heard, registered, ask, register }
}

function signed(service: Identity, over: Partial<ServiceRecord> = {}): { record: ServiceRecord; bytes: Uint8Array } {
  const record = {
    ...newRecord({ serviceKey: service.publicKey, name: 'web.local', endpoints: ['/ip4/127.0.0.1/tcp/80'] }, { now: now() }),
    ...over,
  }
  return { record, bytes: encodeRecord(record, service) }
}

describe('a meeting place', () => {
  it('is told of a service by its publisher, tells who asks, and forgets it when it is withdrawn', async () => {
    const { register, ask } = await place()
    const service = generateIdentity()
    const { record, bytes } = signed(service)
    expect(await register(service, bytes)).toBeUndefined()
    expect(await register(service, bytes)).toBeUndefined()
    expect(Buffer.compare(await ask(LOOKUP_TOPICS.record, service.publicKey), bytes)).toBe(0)
    expect(decodeClaimants(await ask(LOOKUP_TOPICS.name, Buffer.from('web.local')))).toEqual([Buffer.from(service.publicKey)])
    await register(service, encodeRecord(tombstoneOf(record, { now: now() }), service))
    expect(await ask(LOOKUP_TOPICS.name, Buffer.from('web.local'))).toHaveLength(0)
    // A replay does not bring it back: who tries is shown the withdrawal.
    expect(await register(service, bytes)).toMatchObject({ tombstone: true })
  })

  it('forgets what is not registered again', async () => {
    const { register, ask } = await place()
    const service = generateIdentity()
    await register(service, signed(service, { ttlSeconds: 60 }).bytes)
    await clock.pass(361_000)
    expect(await ask(LOOKUP_TOPICS.record, service.publicKey)).toHaveLength(0)
  })

  it('answers with the newer of what it heard and what was registered, and with each claimant once', async () => {
    const { heard, register, ask } = await place()
    const service = generateIdentity()
    const [older, newer] = [signed(service), signed(service, { sequence: now() + 5 })]
    expect(heard.take(newer.bytes, 'gossip', false)).toBe('good')
    await register(service, older.bytes)
    expect(Buffer.compare(await ask(LOOKUP_TOPICS.record, service.publicKey), newer.bytes)).toBe(0)
    expect(decodeClaimants(await ask(LOOKUP_TOPICS.name, Buffer.from('web.local')))).toHaveLength(1)
  })

  it('refuses what is forged, expired, from the future, too large or nothing at all', async () => {
    const { register, registered } = await place()
    await clock.pass(10_800_000)
    const service = generateIdentity()
    const forged = Buffer.from(signed(service).bytes)
    forged[forged.length - 1]! ^= 1
    const hour = 3_600_000
    const bad = [
      forged,
      signed(service, { issuedAt: now() - 2 * hour }).bytes,
      signed(service, { issuedAt: now() + hour }).bytes,
      Buffer.alloc(901, 1),
      Buffer.alloc(0),
    ]
    for (const bytes of bad) await expect(register(service, bytes)).rejects.toThrow()
    expect(registered.size).toBe(0)
  })

  it('takes a bounded number from one network', async () => {
    const { registered, ask } = await place()
    for (let count = 0; count < 128; count++) {
      const service = generateIdentity()
      const { record, bytes } = signed(service)
      registered.keep(record, bytes, 'nearby')
    }
    await expect(ask(REGISTER_TOPIC, signed(generateIdentity()).bytes)).rejects.toMatchObject({ code: 'BEAM_ERR_RATE_LIMITED' })
  })

  it('is not believed when it answers with a record of another service', async () => {
    const [service, other] = [generateIdentity(), generateIdentity()]
    const lie = async (): Promise<Uint8Array> => signed(other).bytes
    await expect(registerRecord(lie, signed(service).bytes, { now: now(), serviceKey: service.publicKey })).rejects.toThrow()
  })
})

it('makes of any answer a list of keys or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 800 }), (bytes) => {
      try {
        for (const key of decodeClaimants(bytes)) expect(key).toHaveLength(32)
      } catch (error) {
        expect(error).toMatchObject({ name: 'ProtocolError' })
      }
    }),
  )
})

it('lets nobody drive out what others brought', () => {
  const cache = new RecordCache(clock, { max: 50 })
  const honest = generateIdentity()
  cache.take(signed(honest).bytes, 'honest', false)
  for (let count = 0; count < 100; count++) {
    const service = generateIdentity()
    cache.take(signed(service).bytes, `flood ${count % 3}`, false)
  }
  expect(cache.size).toBe(50)
  expect(cache.find(honest.publicKey)).toBeDefined()
})
