import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeKey, formatBeamAddress, formatVisitorKey, isBeamError, parseVisitorKey } from '../../../core/index.ts'

const key = new Uint8Array(32).fill(3)
const refused = (message: string): unknown =>
  expect.objectContaining({ code: 'BEAM_ERR_ADDRESS_INVALID', message, hint: expect.stringContaining('beam key show') })

describe('parseVisitorKey', () => {
  it('reads what formatVisitorKey writes, also with blanks around it and in capitals', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(parseVisitorKey(` ${formatVisitorKey(bytes)}\n`)).toEqual(Buffer.from(bytes))
        expect(parseVisitorKey(formatVisitorKey(bytes).toUpperCase())).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('says so when it is given the address of a service', () => {
    const message = 'This is the address of a service, not a visitor key.'
    expect(() => parseVisitorKey(formatBeamAddress(key))).toThrow(refused(message))
    expect(() => parseVisitorKey(encodeKey('service', key))).toThrow(refused(message))
  })

  it('makes of any text a key or a ConfigError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z2-7]{56}$/)), (text) => {
        expect(() => parseVisitorKey(text)).toThrow(expect.toSatisfy((error) => isBeamError(error) && error.kind === 'config'))
      }),
    )
  })
})
