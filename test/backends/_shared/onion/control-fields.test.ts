import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countConnections, parseCircuits, parseGuards } from '../../../../backends/_shared/onion/control/circuits.ts'
import { parseFields, quote, unquote } from '../../../../backends/_shared/onion/control/fields.ts'

describe('fields of a line', () => {
  it('are words, pairs and quoted strings', () => {
    expect(parseFields('NOTICE BOOTSTRAP PROGRESS=75 TAG=enough SUMMARY="Loaded \\"enough\\" info"')).toEqual({
      words: ['NOTICE', 'BOOTSTRAP'],
      pairs: { PROGRESS: '75', TAG: 'enough', SUMMARY: 'Loaded "enough" info' },
    })
  })

  it('are read without prototypes', () => {
    expect(parseFields('__proto__=x constructor=y').pairs['constructor']).toBe('y')
    expect(parseFields('').pairs['constructor']).toBeUndefined()
  })

  it('in quotes come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(unquote(quote(text).slice(1, -1))).toBe(text)
      }),
    )
  })

  it('have bytes of UTF-8 as octal numbers', () => {
    expect(unquote('/home/j\\303\\244ger/cookie')).toBe('/home/jäger/cookie')
  })

  it('are found in any text without an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const { words, pairs } = parseFields(text)
        expect([...words, ...Object.values(pairs)].every((value) => typeof value === 'string')).toBe(true)
        parseCircuits(text)
        parseGuards(text)
        countConnections(text)
      }),
    )
  })
})

describe('lists of the daemon', () => {
  const A = 'A'.repeat(40)
  it('of circuits tell purpose, service and relays', () => {
    const text = [
      `7 BUILT $${A}~one,$${'B'.repeat(40)} BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_SERVICE_REND HS_STATE=HSSR_JOINED REND_QUERY=abc TIME_CREATED=2026-01-01T00:00:00`,
      '8 LAUNCHED PURPOSE=GENERAL',
      'nonsense',
    ].join('\n')
    expect(parseCircuits(text)).toEqual([
      { id: '7', state: 'BUILT', purpose: 'HS_SERVICE_REND', relays: ['one', 'BBBBBBBB'], service: 'abc' },
      { id: '8', state: 'LAUNCHED', purpose: 'GENERAL', relays: [] },
    ])
  })

  it('of guards and of connections are counted and named', () => {
    expect(parseGuards(`$${A}~one up\n$${A} never-connected\n\n`)).toEqual([
      { name: 'one', fingerprint: A, state: 'up' },
      { name: 'AAAAAAAA', fingerprint: A, state: 'never-connected' },
    ])
    expect(countConnections(`$${A}~one CONNECTED\n$${A}~two LAUNCHED\n`)).toBe(1)
  })
})
