import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBeamError, nameTopic, normaliseName } from '../../../core/index.ts'

describe('normaliseName', () => {
  it.each([
    ['myapp.local', 'myapp.local'],
    ['MyApp.Local.', 'myapp.local'],
    [' a.b.c ', 'a.b.c'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['x--y.1password.io', 'x--y.1password.io'],
  ])('makes of %j %j', (name, normal) => {
    expect(normaliseName(name)).toBe(normal)
  })

  it.each([
    '',
    '.',
    'myapp',
    'a..b',
    '.a.b',
    '-a.b',
    'a-.b',
    'a_b.c',
    'a b.c',
    'a/b.c',
    '../a.b',
    'http://a.b',
    'a.b:80',
    'a@b.c',
    'a%2e.b',
    '192.168.1.1',
    'a.0x1f',
    'a\0.b',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}aa`,
    'a'.repeat(100_000),
    '\u202eapp.local',
  ])('refuses %j', (name) => {
    expect(() => normaliseName(name)).toThrow(
      expect.objectContaining({ code: 'BEAM_ERR_NAME_INVALID', hint: expect.stringContaining('myapp.local') }),
    )
  })

  it('changes nothing the second time, and lets no character through that a domain does not have', () => {
    const texts = fc.oneof(
      fc.domain(),
      fc.webUrl(),
      fc.string({ unit: 'grapheme' }).map((text) => `${text}.local`),
      fc.string({ unit: 'binary', maxLength: 300 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        let name: string
        try {
          name = normaliseName(text)
        } catch (error) {
          expect(isBeamError(error)).toBe(true)
          return
        }
        expect(name).toMatch(/^[a-z0-9.-]+$/)
        expect(normaliseName(name)).toBe(name)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('nameTopic', () => {
  it('is 32 bytes, the same for every spelling of a name and different for different names', () => {
    expect(nameTopic('myapp.local')).toHaveLength(32)
    expect(nameTopic('MYAPP.local.')).toEqual(nameTopic('myapp.local'))
    expect(nameTopic('myapp2.local')).not.toEqual(nameTopic('myapp.local'))
  })

  it('stays what it was in version 1', () => {
    expect(nameTopic('myapp.local').toString('hex')).toMatchInlineSnapshot(
      `"709940f0c3723422bd90e5e62ea9f8e8e80022709c6d0b87108a9aaa18df9251"`,
    )
  })
})
