import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeRequest, decodeReservation, encodeRequest, encodeReservation } from '../../../../core/mesh/relay/reservation.ts'
import { parseRelayEndpoint } from '../../../../core/records/endpoints.ts'
import { encodeCanonical } from '../../../../core/records/canonical.ts'

const any = fc.anything({ withBigInt: false, maxDepth: 3 })
/** Noise, and whatever can be said in the encoding that is expected. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.array(fc.oneof(any, fc.array(fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 64 }), fc.nat()))), { maxLength: 80 }).map((value) => {
    try {
      return encodeCanonical(value)
    } catch {
      return new Uint8Array()
    }
  }),
)

it('is decoded from any bytes, or refused with a ProtocolError', () => {
  fc.assert(
    fc.property(bytes, (noise) => {
      for (const decode of [decodeRequest, decodeReservation]) {
        try {
          decode(noise)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' })
        }
      }
    }),
  )
})

it('is what was encoded', () => {
  const whole = fc.nat()
  const service = fc.record({
    serviceKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    until: whole,
    proof: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  })
  fc.assert(
    fc.property(fc.array(service, { maxLength: 4 }), whole, whole, whole, (services, expiresAt, streams, bytesPerSecond) => {
      expect(encodeRequest(decodeRequest(encodeRequest(services)))).toEqual(encodeRequest(services))
      const reservation = { expiresAt, streams, bytesPerSecond }
      expect(decodeReservation(encodeReservation(reservation))).toEqual(reservation)
    }),
  )
})

it('makes of any endpoint a relay or nothing', () => {
  const text = fc.string({ maxLength: 300 })
  fc.assert(
    fc.property(text, text, (host, rest) => {
      const found = parseRelayEndpoint(`/ip4/${host}/tcp/1/beam/${rest}`) ?? parseRelayEndpoint(rest)
      if (found !== undefined) expect(found.key).toHaveLength(32)
    }),
  )
})
