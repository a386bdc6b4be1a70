import fc from 'fast-check'
import { type Identity, type ServiceRecord, encodeRecord, identityFromSeed } from '../../../core/index.ts'

/** A moment in 2026. */
export const NOW = 1_780_000_000_000

export const identity: Identity = identityFromSeed(new Uint8Array(32).fill(7))
export const stranger: Identity = identityFromSeed(new Uint8Array(32).fill(8))

/** A record with every field, signed by `identity` a minute before `NOW`. */
export const sample: ServiceRecord = {
  name: 'myapp.local',
  serviceKey: new Uint8Array(identity.publicKey),
  endpoints: ['/ip4/192.0.2.1/tcp/8080', '/ip6/2001:db8::1/tcp/8080', `http://${'a'.repeat(56)}.onion`],
  metadata: { version: '1.0', protocol: 'http', capabilities: ['websocket', 'http2'] },
  ttlSeconds: 3600,
  sequence: NOW - 60_000,
  issuedAt: NOW - 60_000,
  tombstone: false,
}

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/)
const text = fc.stringMatching(/^[a-zA-Z0-9 ._äß…-]{1,20}$/)
const endpoint = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `/ip4/${host}/tcp/${port}`),
  fc.stringMatching(/^[a-z]{1,5}:\/\/[!-~]{1,60}$/),
)

const optional = <T extends object>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | Record<string, never>> => fc.oneof(arb, fc.constant({}))

/** Any record of `identity` that is valid at `NOW` and fits. */
export const anyRecord: fc.Arbitrary<ServiceRecord> = fc
  .tuple(
    optional(fc.tuple(label, label).map(([a, b]) => ({ name: `${a}.${b}` }))),
    fc.array(endpoint, { maxLength: 6 }),
    fc.record({ version: text, protocol: text, capabilities: fc.array(text, { maxLength: 4 }) }, { requiredKeys: [] }),
    fc.integer({ min: 60, max: 172_800 }),
    fc.maxSafeNat(),
    fc.boolean(),
    fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  )
  .map(([name, endpoints, metadata, ttlSeconds, sequence, tombstone, weight]) => ({
    ...name,
    serviceKey: new Uint8Array(identity.publicKey),
    endpoints: tombstone ? [] : endpoints,
    ...(weight === undefined ? {} : { weights: tombstone ? [] : endpoints.map((_, index) => 1 + ((weight + index) % 1000)) }),
    metadata,
    ttlSeconds,
    sequence,
    issuedAt: NOW - 30_000,
    tombstone,
  }))

/** The bytes of `sample` with fields replaced. */
export function signed(fields: Partial<ServiceRecord> = {}): Uint8Array {
  return encodeRecord({ ...sample, ...fields }, identity)
}
