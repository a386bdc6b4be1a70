import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressHelper,
  formatAddress,
  looksLikeI2p,
  parseAddress,
  parseBookName,
  parsePeer,
  readAddress,
} from '../../../backends/i2p/address.ts'
import { crc32, fromBase32, fromI2pBase64, toBase32, toI2pBase64 } from '../../../backends/i2p/base64.ts'
import { b32Of, b33Of, destinationIn, parseDestination, signatureTypeOf } from '../../../backends/i2p/destination.ts'
import { randomDestination } from './keys-for-tests.ts'

const B32 = `${'a'.repeat(51)}q.b32.i2p`

describe('I2P’s base64', () => {
  it('is the usual one with - and ~', () => expect(toI2pBase64(Buffer.from([0xfb, 0xff, 0xbf]))).toBe('-~-~'))
  it('gives back what was put in', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => Buffer.from(bytes).equals(fromI2pBase64(toI2pBase64(bytes)) ?? Buffer.from('no'))))
  })
  it('reads a text whose padding was lost', () => expect(fromI2pBase64('AAE')).toEqual(Buffer.from([0, 1])))
  it.each(['AA+A', 'AA/A', 'A', 'AB==', 'AAAA=A', 'A A', 'é'])('refuses %j', (text) => expect(fromI2pBase64(text)).toBeUndefined())
})

describe('base32', () => {
  it('is that of RFC 4648, in lower case', () => expect(toBase32(Buffer.from('foobar'))).toBe('mzxw6ytboi'))
  it('gives back what was put in', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => Buffer.from(bytes).equals(fromBase32(toBase32(bytes)) ?? Buffer.from('no'))))
  })
})

it('crc32 is that of ISO 3309', () => expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926))

describe('destinations', () => {
  it('are the first 387 bytes and the payload of the certificate', () => {
    const destination = randomDestination()
    expect(destinationIn(Buffer.concat([destination, randomBytes(288)]))).toEqual(destination)
    expect(parseDestination(toI2pBase64(destination))).toEqual(destination)
    expect(signatureTypeOf(destination)).toBe(7)
  })
  it('are refused when something is missing or too much', () => {
    const destination = randomDestination()
    expect(destinationIn(destination.subarray(0, 390))).toBeUndefined()
    expect(parseDestination(toI2pBase64(Buffer.concat([destination, Buffer.alloc(1)])))).toBeUndefined()
  })
  it('of any bytes are a destination or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), (bytes) => {
        const found = destinationIn(Buffer.from(bytes))
        if (found !== undefined) expect(found.length).toBeGreaterThanOrEqual(387)
      }),
    )
  })
  it('have an address that is read as one, also where the lease set is encrypted', () => {
    const destination = randomDestination()
    expect(readAddress(b32Of(destination))).toEqual({ host: b32Of(destination), kind: 'b32', needsKey: false })
    const open = b33Of(destination, { clients: false }) ?? ''
    expect(readAddress(open)).toEqual({ host: open, kind: 'b33', needsKey: false })
    const closed = b33Of(destination, { clients: true }) ?? ''
    expect(readAddress(closed)).toEqual({ host: closed, kind: 'b33', needsKey: true })
    expect(b33Of(randomDestination(1), { clients: false })).toBeUndefined()
  })
  it('with a mistyped letter in the long form are mostly no address', () => {
    const address = b33Of(randomDestination(), { clients: false }) ?? ''
    const wrong = 'abcdefgh'.split('').filter((letter) => readAddress(`${address.slice(0, 20)}${letter}${address.slice(21)}`) !== undefined)
    expect(wrong.length).toBeLessThan(6)
  })
})

describe('addresses', () => {
  it.each([
    [B32, B32],
    [`http://${B32}/path?x#y`, B32],
    [`HTTP://${B32.toUpperCase()}:80`, B32],
    ['stats.i2p', 'stats.i2p'],
    ['tcp://irc.postman.i2p:6667', 'irc.postman.i2p'],
  ])('%s', (text, host) => expect(readAddress(text)?.host).toBe(host))
  it.each([
    '',
    'no address',
    'localhost',
    'unknown-network://x',
    '\u0000',
    'i2p',
    '.i2p',
    'a..i2p',
    '-a.i2p',
    'aaaa.b32.i2p',
    `1${B32}`,
    `${B32}.com`,
    `${B32}:99999999`,
    'x.onion',
    'a b.i2p',
  ])('%j is none', (text) => expect(readAddress(text)).toBeUndefined())
  it('any text is one or none, quickly', () => {
    fc.assert(fc.property(fc.string(), (text) => void readAddress(text)))
    expect(readAddress(`${'a.'.repeat(50_000)}i2p`)).toBeUndefined()
  })
  it('that are mistyped are still meant for I2P, which says what is wrong', () => {
    expect(looksLikeI2p('abc.b32.i2p')).toBe(true)
    expect(() => parseAddress('abc.b32.i2p')).toThrowError(expect.objectContaining({ code: 'BEAM_ERR_ADDRESS_INVALID' }))
    for (const text of ['', 'no address', 'localhost', 'x.i2p.com', '.i2p', '\u0000']) expect(looksLikeI2p(text)).toBe(false)
  })
  it('are printed as visitors type them', () => expect(formatAddress(B32)).toBe(`http://${B32}`))
  it('an access list takes the whole name or its letters', () => {
    expect(parsePeer(B32.toUpperCase())).toBe(B32)
    expect(parsePeer(B32.slice(0, 52))).toBe(B32)
    expect(() => parsePeer('stats.i2p')).toThrow('no destination that an access list can name')
  })
  it('an address book takes names', () => {
    expect(parseBookName('MySite.i2p')).toBe('mysite.i2p')
    expect(() => parseBookName(B32)).toThrow('no name of I2P')
    expect(addressHelper('mysite.i2p', 'AAAA')).toBe('http://mysite.i2p/?i2paddresshelper=AAAA')
  })
})
