import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressNumber,
  addressText,
  covers,
  formatPlace,
  isServiceAddress,
  mayBeAnnounced,
  overlap,
  parsePlace,
  parsePrefix,
  prefixText,
  sourceFilter,
  type Prefix,
} from '../../../backends/anonet/mesh-address.ts'

const RANGE = parsePrefix('21.0.0.0/8') as Prefix
const prefix = (text: string): Prefix => parsePrefix(text) as Prefix

describe('addresses of the mesh', () => {
  it('are read as they are written', () => {
    fc.assert(fc.property(fc.nat({ max: 0xffffffff }), (number) => addressNumber(addressText(number)) === number))
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), fc.integer({ min: 0, max: 32 }), (number, length) => {
        const made = { base: Math.floor(number / 2 ** (32 - length)) * 2 ** (32 - length), length }
        expect(parsePrefix(prefixText(made))).toEqual(made)
      }),
    )
  })

  it.each(['21.1.0.0', '21.1.0.1/24', '21.1.0.0/33', '300.1.0.0/24', '21.1.0.0/24 ', ''])('%j is no prefix', (text) => {
    expect(parsePrefix(text)).toBeUndefined()
  })

  it('cover what lies in them', () => {
    expect(covers(RANGE, prefix('21.255.0.0/16'))).toBe(true)
    expect(covers(prefix('21.1.0.0/24'), prefix('21.1.1.0/24'))).toBe(false)
    expect(overlap(prefix('21.1.0.128/25'), prefix('21.1.0.0/24'))).toBe(true)
    expect(covers(prefix('0.0.0.0/0'), prefix('255.255.255.255/32'))).toBe(true)
  })

  it('may be announced within the range, from /24 on, and never those of links', () => {
    expect(mayBeAnnounced(prefix('21.1.0.0/24'), RANGE)).toBe(true)
    for (const text of ['21.1.0.0/23', '22.1.0.0/24', '21.255.4.0/24', '0.0.0.0/0']) expect(mayBeAnnounced(prefix(text), RANGE)).toBe(false)
    expect(isServiceAddress('21.255.1.1', RANGE)).toBe(false)
    expect(isServiceAddress('21.1.0.1', RANGE)).toBe(true)
  })
})

describe('places to dial', () => {
  it('are what is printed, and what people make of it', () => {
    const place = { host: '21.1.0.1', port: 3000 }
    for (const text of [formatPlace(place), 'tcp://21.1.0.1:3000', '21.1.0.1:3000', 'HTTP://21.1.0.1:3000/a?b'])
      expect(parsePlace(text, RANGE)).toEqual(place)
    expect(parsePlace('http://21.1.0.1', RANGE)?.port).toBe(80)
    expect(parsePlace('https://21.1.0.1/', RANGE)?.port).toBe(443)
  })

  it.each([
    '21.1.0.1',
    'http://22.1.0.1:80',
    'http://21.1.0.1:0',
    'http://21.1.0.1:65536',
    'http://21.255.0.1:80',
    'beam://abc',
    'http://localhost:3000',
    '21.1.0.999:80',
  ])('%s is none of this network', (text) => expect(parsePlace(text, RANGE)).toBeUndefined())

  it('any text is a place or none', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePlace(text, RANGE)))
  })
})

it('a list of sources admits those in it and nobody else', () => {
  const admits = sourceFilter([prefix('21.2.0.0/24'), prefix('21.3.0.1/32')])
  expect(['21.2.0.77', '21.3.0.1'].every(admits)).toBe(true)
  expect(['21.3.0.2', '21.2.1.1', '::1', undefined].some(admits)).toBe(false)
})
