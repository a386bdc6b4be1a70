import fc from 'fast-check'
import { isIP } from 'node:net'
import { expect, it } from 'vitest'
import { encodeKey, generateIdentity, isBeamError } from '../../../core/index.ts'
import { observedPlace } from '../../../core/mesh/node/observed.ts'
import { formatMeetingPlace, parseMeetingPlace } from '../../../core/mesh/rendezvous/meeting-place.ts'

it('any text is the address of a meeting place or a ConfigError', () => {
  const key = encodeKey('node', generateIdentity().publicKey)
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `beam-node:${key}@${rest}`),
    fc.string().map((rest) => `beam-node:${rest}@x.onion`),
  )
  fc.assert(
    fc.property(text, (given) => {
      try {
        const { key: found, address } = parseMeetingPlace(given)
        expect(parseMeetingPlace(formatMeetingPlace(found, address)).key).toEqual(found)
      } catch (error) {
        expect(isBeamError(error) && error.code).toBe('BEAM_ERR_ADDRESS_INVALID')
      }
    }),
    { numRuns: 1_000 },
  )
})

it('what a node tells of a place is an IP address and a port, or nothing', () => {
  const place = fc.oneof(
    fc.string(),
    fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([host, port]) => `${host}:${port}`),
    fc.tuple(fc.ipV6(), fc.nat(65_535)).map(([host, port]) => `[${host}]:${port}`),
  )
  fc.assert(
    fc.property(place, (given) => {
      const told = Buffer.from(observedPlace(given)).toString()
      const [host = '', port = ''] = told.split(' ')
      if (isIP(given.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) !== 0)
        expect([isIP(host) !== 0, /^\d+$/.test(port)]).toEqual([true, true])
      expect(told === '' || told.split(' ').length === 2).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})
