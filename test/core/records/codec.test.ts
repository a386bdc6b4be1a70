import { readFileSync } from 'node:fs'
import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CLOCK_SKEW_MS,
  MAX_RECORD_BYTES,
  decodeRecord,
  encodeRecord,
  fitRecord,
  isBeamError,
  isExpired,
  signWith,
  tcpEndpoint,
  type ServiceRecord,
} from '../../../core/index.ts'
import { NOW, anyRecord, identity, sample, signed, stranger } from './arbitrary-record.ts'

/** The code of the ProtocolError that decoding ends with; anything else that is thrown fails the test. */
function refusal(bytes: Uint8Array, options: { now?: number; expectedKey?: Uint8Array } = {}): string | undefined {
  try {
    decodeRecord(bytes, { now: NOW, ...options })
    return undefined
  } catch (error) {
    if (isBeamError(error) && error.kind === 'protocol') return error.code
    throw error
  }
}

/** Signs whatever payload, as an attacker with a key of his own could. */
function forge(payload: unknown): Uint8Array {
  const bytes = payload instanceof Uint8Array ? payload : encode(payload)
  return encode([bytes, signWith(identity, Buffer.concat([Buffer.from('beam service record v1\0'), bytes]))])
}

const payload = { v: 1, k: identity.publicKey, e: [], t: 3600, s: 1, i: NOW }

describe('encodeRecord and decodeRecord', () => {
  it('give back what went in', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encodeRecord(record, identity)
        expect(bytes.length).toBeLessThanOrEqual(MAX_RECORD_BYTES)
        expect(decodeRecord(bytes, { now: NOW, expectedKey: identity.publicKey })).toEqual(record)
      }),
      { numRuns: 200 },
    )
  })

  it('give one record one encoding, whatever the order of its fields', () => {
    const shuffled = Object.fromEntries(Object.entries(sample).toReversed()) as unknown as ServiceRecord
    expect(encodeRecord(shuffled, identity)).toEqual(encodeRecord(sample, identity))
  })

  it('keep the bytes of version 1, which docs/records.md has', () => {
    const text = readFileSync(new URL('../../../docs/records.md', import.meta.url), 'utf8')
    const [, hex = ''] = /```hex\n([0-9a-f\n]{200,})```/.exec(text) ?? []
    const record = { ...sample, endpoints: ['/ip4/192.0.2.1/tcp/80'], metadata: { protocol: 'http' } }
    expect(decodeRecord(Buffer.from(hex.replaceAll('\n', ''), 'hex'), { now: NOW })).toEqual(record)
    expect(Buffer.from(encodeRecord(record, identity)).toString('hex')).toBe(hex.replaceAll('\n', ''))
  })

  it('hand out a key that does not change with the received bytes', () => {
    const bytes = Buffer.from(signed())
    const record = decodeRecord(bytes, { now: NOW })
    bytes.fill(0)
    expect(record.serviceKey).toEqual(sample.serviceKey)
  })
})

describe('decodeRecord', () => {
  it('refuses every record with a single bit flipped', () => {
    const bytes = signed()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Uint8Array.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(refusal(damaged)).toBe('BEAM_ERR_RECORD_INVALID')
    }
  })

  it('refuses every record that is cut short or has something added', () => {
    const bytes = signed()
    for (let length = 0; length < bytes.length; length++) expect(refusal(bytes.subarray(0, length))).toBe('BEAM_ERR_RECORD_INVALID')
    expect(refusal(Buffer.concat([bytes, Uint8Array.of(0)]))).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('makes of any bytes a record or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        expect(refusal(bytes)).toBe('BEAM_ERR_RECORD_INVALID')
      }),
      { numRuns: 2000 },
    )
  })

  it('makes of any signed CBOR a record or a ProtocolError', () => {
    const anything = fc.anything({ withBigInt: false, maxDepth: 3 })
    const fields = fc.record({
      v: fc.constant(1),
      k: fc.constant(identity.publicKey),
      n: anything,
      e: anything,
      m: anything,
      t: anything,
      s: anything,
      i: anything,
      x: anything,
    })
    fc.assert(
      fc.property(fc.oneof(fields, anything), (value) => {
        let bytes: Uint8Array
        try {
          bytes = forge(value)
        } catch {
          return // no CBOR can be made of it
        }
        refusal(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses lengths that promise more than there is, and deep nesting, without taking memory for them', () => {
    const promises = [
      '9affffffff',
      'bbffffffffffffffff',
      '5affffffff',
      '7b000fffffffffffff',
      '9f',
      'bf',
      '5f',
      '7f',
      'c1',
      'fb7ff8000000000000',
    ]
    for (const hex of promises) expect(refusal(Buffer.from(hex, 'hex'))).toBe('BEAM_ERR_RECORD_INVALID')
    expect(refusal(new Uint8Array(MAX_RECORD_BYTES).fill(0x81))).toBe('BEAM_ERR_RECORD_INVALID')
    expect(refusal(new Uint8Array(10_000_000))).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('refuses signed payloads that are not the one encoding of their value', () => {
    const good = Buffer.from(encode(payload))
    expect(refusal(forge(good))).toBeUndefined()
    const rewrite = (from: string, to: string): Buffer => {
      expect(good.toString('hex').split(from)).toHaveLength(2)
      return Buffer.from(good.toString('hex').replace(from, to), 'hex')
    }
    const variants = {
      'a key twice': rewrite('a661', 'a761760161'),
      'another order': rewrite('6173016174190e10', '6174190e10617301'),
      'a longer integer': rewrite('6174190e10', '61741a00000e10'),
      'a float for an integer': rewrite('6174190e10', '6174f96b08'),
      'an indefinite length': Buffer.concat([rewrite('a661', 'bf61'), Uint8Array.of(0xff)]),
      'a second value behind it': Buffer.concat([good, good]),
    }
    const answers = Object.entries(variants).map(([what, bytes]) => [what, refusal(forge(bytes))])
    expect(answers).toEqual(Object.keys(variants).map((what) => [what, 'BEAM_ERR_RECORD_INVALID']))
  })

  it.each([
    ['another version', { v: 2 }],
    ['no version', { v: undefined }],
    ['a short key', { k: new Uint8Array(31) }],
    ['a key that is text', { k: 'k'.repeat(32) }],
    ['a name that is not in normal form', { n: 'MyApp.local' }],
    ['a name that is no domain', { n: '../etc' }],
    ['endpoints that are no list', { e: 'http://a.b' }],
    ['an endpoint with a line break', { e: ['http://a\nb'] }],
    ['an endpoint that is a bare word', { e: ['example'] }],
    ['an endpoint of 256 characters', { e: [`x:${'a'.repeat(254)}`] }],
    ['17 endpoints', { e: Array.from({ length: 17 }, (_, i) => `x:${i}`) }],
    ['fewer weights than endpoints', { e: ['x:1', 'x:2'], w: [1] }],
    ['a weight of 0', { e: ['x:1'], w: [0] }],
    ['a weight above 1000', { e: ['x:1'], w: [1001] }],
    ['weights that are no list', { e: ['x:1'], w: 1 }],
    ['no ttl', { t: undefined }],
    ['a ttl of 0', { t: 0 }],
    ['a ttl above two days', { t: 172_801 }],
    ['a ttl with a fraction', { t: 1.5 }],
    ['a negative sequence number', { s: -1 }],
    ['a sequence number that is text', { s: '1' }],
    ['metadata that is a list', { m: [] }],
    ['metadata with an escape sequence', { m: { p: '\u001b[2J' } }],
    ['metadata that turns the writing', { m: { v: 'a\u202eb' } }],
    ['metadata of 65 characters', { m: { v: 'a'.repeat(65) } }],
    ['capabilities that are no texts', { m: { c: [1] } }],
    ['a withdrawal that is a number', { x: 1 }],
    ['a withdrawal with endpoints', { x: true, e: ['x:1'] }],
  ])('refuses a signed record with %s', (_what, fields) => {
    const changed = Object.fromEntries(Object.entries({ ...payload, ...fields }).filter(([, value]) => value !== undefined))
    expect(refusal(forge(changed))).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('ignores fields that it does not know, also those named like members of objects', () => {
    const bytes = forge({ ...payload, z: 1, constructor: 2, toString: 3, ['__proto__']: { t: 1 } })
    expect(decodeRecord(bytes, { now: NOW })).toEqual({
      serviceKey: sample.serviceKey,
      endpoints: [],
      metadata: {},
      ttlSeconds: 3600,
      sequence: 1,
      issuedAt: NOW,
      tombstone: false,
    })
  })

  it('refuses a record of another key than the one looked up', () => {
    expect(refusal(signed(), { expectedKey: identity.publicKey })).toBeUndefined()
    expect(refusal(signed(), { expectedKey: stranger.publicKey })).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('refuses a record that names one key and is signed by another', () => {
    const bytes = encode(payload)
    const signature = signWith(stranger, Buffer.concat([Buffer.from('beam service record v1\0'), bytes]))
    expect(refusal(encode([bytes, signature]))).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('refuses a signature that was made for something else than a record', () => {
    const bytes = encode(payload)
    expect(refusal(encode([bytes, signWith(identity, bytes)]))).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('tells an expired record from an invalid one, and allows for clocks that differ', () => {
    const end = sample.issuedAt + sample.ttlSeconds * 1000
    expect(refusal(signed(), { now: end + CLOCK_SKEW_MS })).toBeUndefined()
    expect(refusal(signed(), { now: end + CLOCK_SKEW_MS + 1 })).toBe('BEAM_ERR_RECORD_EXPIRED')
    expect(isExpired(sample, end)).toBe(false)
    const damaged = Buffer.from(signed())
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1)
    expect(refusal(damaged, { now: end * 2 })).toBe('BEAM_ERR_RECORD_INVALID')
  })

  it('refuses a record from the future beyond the allowance', () => {
    expect(refusal(signed(), { now: sample.issuedAt - CLOCK_SKEW_MS })).toBeUndefined()
    expect(refusal(signed(), { now: sample.issuedAt - CLOCK_SKEW_MS - 1 })).toBe('BEAM_ERR_RECORD_INVALID')
  })
})

describe('encodeRecord', () => {
  it('refuses to sign a record of another key', () => {
    expect(() => encodeRecord(sample, stranger)).toThrow('another key')
  })

  it('refuses what decodeRecord would refuse', () => {
    expect(() => signed({ ttlSeconds: 0 })).toThrow('ttl')
    expect(() => signed({ name: 'MyApp.local' })).toThrow('normal form')
    expect(() => signed({ tombstone: true })).toThrow('withdrawn')
  })

  it('refuses a record above 900 bytes, and fitRecord leaves out its last endpoints', () => {
    const endpoints = Array.from({ length: 16 }, (_, i) => tcpEndpoint(`2001:db8:1111:2222:3333:4444:5555:${i + 1000}`, 40_000 + i))
    const record = { ...sample, endpoints }
    expect(() => encodeRecord(record, identity)).toThrow('900')
    const fitting = fitRecord(record)
    expect(encodeRecord(fitting, identity).length).toBeLessThanOrEqual(MAX_RECORD_BYTES)
    expect(fitting.endpoints.length).toBeGreaterThan(8)
    expect(fitting.endpoints).toEqual(endpoints.slice(0, fitting.endpoints.length))
    expect(() => encodeRecord({ ...record, endpoints: endpoints.slice(0, fitting.endpoints.length + 1) }, identity)).toThrow('900')
  })

  it('leaves out what is above 16 endpoints, however short', () => {
    const endpoints = Array.from({ length: 40 }, (_, i) => `x:${i}`)
    const fitting = fitRecord({ ...sample, endpoints })
    expect(fitting.endpoints).toEqual(endpoints.slice(0, 16))
    expect(decodeRecord(encodeRecord(fitting, identity), { now: NOW })).toEqual(fitting)
  })

  it('leaves a record that fits as it is', () => {
    expect(fitRecord(sample)).toBe(sample)
  })
})
