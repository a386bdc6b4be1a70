import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAddress, looksLikeAddress, onionId, parseAddress } from '../../../../backends/_shared/onion/address.ts'
import { decodeBase32, encodeBase32 } from '../../../../backends/_shared/onion/base32.ts'
import { expandedKey, onionKeyOf, parsePrivateKey } from '../../../../backends/_shared/onion/keys/onion-key.ts'
import { isBeamError } from '../../../../core/index.ts'

const TOR = { suffix: 'onion', fixedNames: [] as string[] }
const ANON = { suffix: 'anon', fixedNames: ['anyone'] }
/** What the daemons themselves said for the seed 07…07 (test/fixtures/onion). */
const ID = '5jfgyy7ctrjavpxvkb5rglwf7gkuo5vox27hxescd3vgsfcg2iwfmxqd'
const ANON_ID = '5jfgyy7ctrjavpxvkb5rglwf7gkuo5vox27hxescd3vgsfcg2iwm2ryd'
const SEED = Buffer.alloc(32, 7)
const PEM = `-----BEGIN PRIVATE KEY-----\n${Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]).toString('base64')}\n-----END PRIVATE KEY-----\n`

describe('a key', () => {
  it('gives the address, and the form of the key, that the daemons know', () => {
    const key = parsePrivateKey(PEM)
    if (key === undefined) throw new Error('no key')
    expect(onionKeyOf(key, TOR).id).toBe(ID)
    expect(onionKeyOf(key, ANON).id).toBe(ANON_ID)
    expect(expandedKey(onionKeyOf(key, TOR))).toBe(
      'ED25519-V3:KK05/v1/o+IAqcYm7vWZ5hotBVxIqCiKTn5MS8o5KHicfW2zUG1l26x8BSqu5IV0JSEMm8VAMMgm5UBVmDRSpQ==',
    )
  })

  it('of another kind is none', () => {
    expect(parsePrivateKey(String(generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' })))).toBeUndefined()
    expect(parsePrivateKey('nonsense')).toBeUndefined()
  })
})

describe('an address', () => {
  it.each([
    [`http://${ID}.onion`, { id: ID, host: `${ID}.onion`, port: 80 }],
    [`${ID}.onion`, { id: ID, host: `${ID}.onion`, port: 80 }],
    [` ${ID.toUpperCase()}.ONION:22 `, { id: ID, host: `${ID}.onion`, port: 22 }],
    [`https://www.${ID}.onion/path?x#y`, { id: ID, host: `www.${ID}.onion`, port: 443 }],
    [`ssh://${ID}.onion`, { id: ID, host: `${ID}.onion`, port: 22 }],
    [`tcp://${ID}.onion:7`, { id: ID, host: `${ID}.onion`, port: 7 }],
  ])('%s is taken apart', (text, expected) => {
    expect(parseAddress(text, TOR)).toEqual(expected)
  })

  it.each([
    [`http://${ID.slice(1)}.onion`, '55 characters instead of 56'],
    [`http://a${ID.slice(1)}.onion`, 'typing error'],
    ['http://expyuzz4wqqyqhjn.onion', 'version 2'],
    [`http://${ID}.onion:0`, 'not between 1 and 65535'],
    [`http://${ID}.onion:99999`, 'not between 1 and 65535'],
    [`gopher://${ID}.onion`, 'needs a port'],
    ['http://example.com', 'no .onion address'],
    [`http://${ANON_ID}.onion`, 'typing error'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parseAddress(text, TOR)).toThrow(
      expect.objectContaining({ code: 'BEAM_ERR_ADDRESS_INVALID', message: expect.stringContaining(message) as string }),
    )
  })

  it('of the other network has its own checksum, and one name of its own', () => {
    expect(parseAddress(`http://${ANON_ID}.anon`, ANON).id).toBe(ANON_ID)
    expect(parseAddress('anyone.anon', ANON)).toEqual({ id: 'anyone', host: 'anyone.anon', port: 80 })
    expect(looksLikeAddress(`${ANON_ID}.anon`, TOR)).toBe(false)
  })

  it('is shown in the form that is read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 1, max: 65_535 }), (key, port) => {
        const id = onionId(key, TOR)
        expect(parseAddress(formatAddress(id, port, TOR), TOR)).toMatchObject({ id, port })
      }),
    )
  })

  it('is one, or a typed error, whatever is written', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `${text}.onion`),
          fc.webUrl(),
        ),
        (text) => {
          try {
            expect(parseAddress(text, TOR).port).toBeGreaterThan(0)
          } catch (error) {
            expect(isBeamError(error) && error.code).toBe('BEAM_ERR_ADDRESS_INVALID')
          }
        },
      ),
    )
  })

  it('of great length is refused quickly', () => {
    expect(looksLikeAddress(`${'a.'.repeat(100_000)}onion`, TOR)).toBe(false)
    expect(looksLikeAddress(`${'a.'.repeat(2_000)}x`, TOR)).toBe(false)
  })
})

describe('base32', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(decodeBase32(encodeBase32(bytes))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('has one text for each value', () => {
    expect(decodeBase32('ab')).toBeUndefined()
    expect(decodeBase32('a1')).toBeUndefined()
    expect(decodeBase32('AA')).toEqual(Buffer.of(0))
  })
})
