import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  KEY_TEXT_LENGTH,
  decodeKey,
  encodeKey,
  formatBeamAddress,
  isBeamError,
  looksLikeBeamAddress,
  parseBeamAddress,
} from '../../../core/index.ts'

const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
const key = new Uint8Array(32).fill(5)
const text = encodeKey('service', key)

const refused = (message: string, code = 'BEAM_ERR_ADDRESS_INVALID'): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) })

describe('encodeKey and decodeKey', () => {
  it('give back what went in, in 56 characters of base32, in any case of letters', () => {
    fc.assert(
      fc.property(anyKey, fc.constantFrom('service' as const, 'visitor' as const), (bytes, kind) => {
        const encoded = encodeKey(kind, bytes)
        expect(encoded).toMatch(/^[a-z2-7]{56}$/)
        expect(decodeKey(kind, encoded)).toEqual(Buffer.from(bytes))
        expect(decodeKey(kind, encoded.toUpperCase())).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('are not taken for keys of the other kind', () => {
    // A fixed key: with 16 bits of checksum one random key in 65,536 would do for both.
    const bytes = Buffer.alloc(32, 7)
    expect(decodeKey('visitor', encodeKey('service', bytes))).toBeUndefined()
    expect(decodeKey('service', encodeKey('visitor', bytes))).toBeUndefined()
  })

  it('notice every single wrong letter and every swap of neighbours', () => {
    let missed = 0
    for (let i = 0; i < KEY_TEXT_LENGTH; i++) {
      for (const letter of 'abcdefghijklmnopqrstuvwxyz234567') {
        const typed = text.slice(0, i) + letter + text.slice(i + 1)
        if (typed !== text && decodeKey('service', typed) !== undefined) missed++
      }
      const swapped = text.slice(0, i) + (text[i + 1] ?? '') + text[i] + text.slice(i + 2)
      if (swapped !== text && decodeKey('service', swapped) !== undefined) missed++
    }
    expect(missed).toBe(0)
  })

  it('stay what they were in version 1', () => {
    expect(text).toMatchInlineSnapshot(`"aecqkbifaucqkbifaucqkbifaucqkbifaucqkbifaucqkbifaucqlpmc"`)
  })

  it('read nothing out of other texts', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z2-7]{0,10}$/)), (rest) => {
        const other = `${text.slice(0, Math.max(0, KEY_TEXT_LENGTH - 1 - rest.length))}0${rest}`
        expect(decodeKey('service', other)).toBeUndefined()
      }),
    )
  })
})

describe('parseBeamAddress', () => {
  it('reads what formatBeamAddress writes', () => {
    const direct = fc.record({ host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), port: fc.integer({ min: 1, max: 65_535 }) })
    fc.assert(
      fc.property(anyKey, fc.option(direct, { nil: undefined }), (bytes, at) => {
        const parsed = parseBeamAddress(formatBeamAddress(bytes, at))
        expect(parsed.serviceKey).toEqual(Buffer.from(bytes))
        expect(parsed.direct).toEqual(at)
      }),
    )
  })

  it('forgives blanks around it, a slash behind it and capitals', () => {
    expect(parseBeamAddress(` BEAM://${text.toUpperCase()}/\n`).serviceKey).toEqual(Buffer.from(key))
    expect(parseBeamAddress(`beam://${text}@[::1]:80`).direct).toEqual({ host: '::1', port: 80 })
  })

  it.each([
    ['', 'no beam:// address'],
    ['http://example.org', 'no beam:// address'],
    [`beam://${text}@host`, 'no beam:// address'],
    [`beam://${text}/path`, 'no beam:// address'],
    [`beam://${text}@::1:80`, 'no beam:// address'],
    [`beam://${text.slice(1)}`, '55 characters instead of 56'],
    [`beam://${text.slice(0, -1)}a`, 'checksum'],
    [`beam://${encodeKey('visitor', key)}`, 'a visitor key'],
  ])('refuses %j', (address, message) => {
    expect(() => parseBeamAddress(address)).toThrow(refused(message))
  })

  it.each(['0', '65536', '99999'])('refuses port %s', (port) => {
    expect(() => parseBeamAddress(`beam://${text}@host:${port}`)).toThrow(refused(port, 'BEAM_ERR_PORT_INVALID'))
  })

  it('makes of any text an address or a ConfigError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `beam://${text}${rest}`),
        ),
        (other) => {
          try {
            parseBeamAddress(other)
          } catch (error) {
            if (!isBeamError(error) || error.kind !== 'config') throw error
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('looksLikeBeamAddress', () => {
  it('tells what means to be one', () => {
    expect(looksLikeBeamAddress('BEAM://x')).toBe(true)
    expect(looksLikeBeamAddress('http://beam://')).toBe(false)
  })
})
