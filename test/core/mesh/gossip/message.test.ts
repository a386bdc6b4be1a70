import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { generateIdentity, ProtocolError } from '../../../../core/index.ts'
import { decodeIds, encodeIds, fromBatch, toBatches } from '../../../../core/mesh/gossip/batches.ts'
import {
  decodeEnvelope,
  encodeEnvelope,
  GOSSIP_TYPES,
  MAX_HOPS,
  MAX_PAYLOAD_BYTES,
  messageId,
  openEnvelope,
  sealMessage,
  UntimelyMessage,
} from '../../../../core/mesh/gossip/message.ts'
import { decodeHeartbeat, decodeRoutes, encodeHeartbeat, encodeRoutes } from '../../../../core/mesh/gossip/payloads.ts'

const NOW = 1_800_000_000_000
const identity = generateIdentity()
const message = { type: 'announce', sequence: 7, sentAt: NOW, ttlSeconds: 60, payload: Buffer.from('news') } as const

describe('a message', () => {
  it('arrives as it was signed, whatever its hop limit', () => {
    const sealed = sealMessage(message, identity)
    const arrived = decodeEnvelope(encodeEnvelope({ ...sealed, hops: 3 }))
    expect(arrived.hops).toBe(3)
    expect(messageId(arrived)).toBe(messageId(sealed))
    expect(openEnvelope(arrived, NOW)).toEqual({ ...message, origin: Buffer.from(identity.publicKey) })
  })

  it.each(GOSSIP_TYPES)('may be of type %s', (type) => {
    expect(openEnvelope(sealMessage({ ...message, type }, identity), NOW).type).toBe(type)
  })

  it('that was changed, or signed by another, is forged', () => {
    const sealed = sealMessage(message, identity)
    const changed = { ...sealed, signed: Buffer.from(sealed.signed) }
    changed.signed[changed.signed.length - 1]! ^= 1
    const other = sealMessage(message, generateIdentity())
    for (const forged of [changed, { ...sealed, signature: other.signature }]) expect(() => openEnvelope(forged, NOW)).toThrow(/signature/)
  })

  it('is news for its time and five minutes of clocks that differ', () => {
    const sealed = sealMessage(message, identity)
    expect(openEnvelope(sealed, NOW + 359_000).sequence).toBe(7)
    expect(() => openEnvelope(sealed, NOW + 361_000)).toThrow(UntimelyMessage)
    expect(openEnvelope(sealed, NOW - 299_000).sequence).toBe(7)
    expect(() => openEnvelope(sealed, NOW - 3_600_000)).toThrow(/future/)
  })

  it('has limits', () => {
    expect(() => sealMessage({ ...message, payload: Buffer.alloc(MAX_PAYLOAD_BYTES + 1) }, identity)).toThrow(ProtocolError)
    expect(() => decodeEnvelope(Buffer.alloc(4_096))).toThrow(ProtocolError)
    const sealed = sealMessage(message, identity)
    expect(() => decodeEnvelope(encodeEnvelope({ ...sealed, hops: MAX_HOPS + 1 }))).toThrow(ProtocolError)
    expect(() => openEnvelope(sealMessage({ ...message, ttlSeconds: 601 }, identity), NOW)).toThrow(ProtocolError)
  })
})

describe('batches', () => {
  it('hold as many messages as fit into a request, and lose none', () => {
    const messages = Array.from({ length: 200 }, (_, index) => Buffer.alloc(1_200, index))
    const batches = toBatches(messages)
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(65_536)
    expect(batches.flatMap((batch) => [...fromBatch(batch)].map((bytes) => Buffer.from(bytes)))).toEqual(messages)
  })

  it('of ids are cut to what one request takes', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => index.toString(16).padStart(32, '0'))
    expect(decodeIds(encodeIds(ids))).toEqual(ids.slice(0, 1_024))
  })
})

describe('payloads', () => {
  it('of heartbeats and routes come back as they were', () => {
    const contacts = [
      { host: '127.0.0.1', port: 4001 },
      { host: '::1', port: 4002 },
    ]
    const heartbeat = { participation: 'routing', contacts, links: 31, coordinate: [1.5, -2.25, 0.5] } as const
    expect(decodeHeartbeat(encodeHeartbeat(heartbeat))).toEqual(heartbeat)
    const routes = [{ to: Buffer.alloc(32, 1), latencyMs: 12 }, { to: Buffer.alloc(32, 2) }]
    expect(decodeRoutes(encodeRoutes(routes))).toEqual(routes)
  })

  it('name IP addresses only, so that nobody can make a node ask the DNS', () => {
    const bad = encodeHeartbeat({ participation: 'full', contacts: [{ host: 'example.com', port: 1 }], links: 0 })
    expect(() => decodeHeartbeat(bad)).toThrow(ProtocolError)
  })
})

it('any bytes are a value or a ProtocolError, for every decoder', () => {
  const sealed = Buffer.from(encodeEnvelope(sealMessage(message, identity)))
  const decoders = [
    decodeEnvelope,
    fromBatch,
    decodeIds,
    decodeHeartbeat,
    decodeRoutes,
    (bytes: Uint8Array) => openEnvelope(decodeEnvelope(bytes), NOW),
  ]
  const mutated = fc.array(fc.tuple(fc.nat(sealed.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
    const bytes = Buffer.from(sealed)
    for (const [at, value] of changes) bytes[at] = value
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
      for (const decode of decoders) {
        try {
          decode(bytes)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }
    }),
    { numRuns: 500 },
  )
})
