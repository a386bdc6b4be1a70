import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBeamAddress, judgeClaims } from '../../../core/index.ts'

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const refused = (code: string, ...texts: string[]): unknown =>
  expect.toSatisfy(
    (error) =>
      error.code === code && error.kind === 'unreachable' && texts.every((text) => error.message.includes(text)) && error.hint.length > 0,
  )

describe('judgeClaims', () => {
  it('takes the only claimant of a new name, unverified', () => {
    expect(judgeClaims('a.local', [key(1)], undefined)).toEqual({ key: key(1), verified: 'first-use', others: [] })
    expect(judgeClaims('a.local', [key(1), key(1)], undefined).others).toEqual([])
  })

  it('takes the pinned key, whoever else claims the name, and names the others', () => {
    expect(judgeClaims('a.local', [key(3), key(1), key(2)], key(2))).toEqual({ key: key(2), verified: 'pinned', others: [key(1), key(3)] })
  })

  it('never gives another key than the pinned one', () => {
    const few = fc.integer({ min: 0, max: 4 }).map(key)
    fc.assert(
      fc.property(fc.array(few), few, (claimants, pin) => {
        let chosen: Uint8Array | undefined
        try {
          chosen = judgeClaims('a.local', claimants, pin).key
        } catch (error) {
          expect(error).toMatchObject({ code: claimants.length === 0 ? 'BEAM_ERR_NOT_FOUND' : 'BEAM_ERR_NAME_CONFLICT' })
        }
        if (chosen !== undefined) expect(chosen).toEqual(pin)
        expect(chosen !== undefined).toBe(claimants.some((claimant) => claimant[0] === pin[0]))
      }),
    )
  })

  it('says which key was accepted and who claims the name now', () => {
    expect(() => judgeClaims('a.local', [key(1)], key(2))).toThrow(
      refused('BEAM_ERR_NAME_CONFLICT', formatBeamAddress(key(1)), formatBeamAddress(key(2))),
    )
  })

  it('does not choose between several claimants of a new name, and lists them', () => {
    expect(() => judgeClaims('a.local', [key(2), key(1)], undefined)).toThrow(
      refused('BEAM_ERR_NAME_AMBIGUOUS', formatBeamAddress(key(1)), formatBeamAddress(key(2))),
    )
  })

  it('lists a bounded number of claimants', () => {
    const flood = Array.from({ length: 200 }, (_, n) => key(n))
    expect(() => judgeClaims('a.local', flood, undefined)).toThrow(refused('BEAM_ERR_NAME_AMBIGUOUS', '200 services', 'and 192 more'))
  })

  it('finds nothing when nobody claims the name, or only what are no keys', () => {
    expect(() => judgeClaims('a.local', [], undefined)).toThrow(refused('BEAM_ERR_NOT_FOUND', 'a.local'))
    expect(() => judgeClaims('a.local', [new Uint8Array(31)], key(1))).toThrow(refused('BEAM_ERR_NOT_FOUND', 'a.local'))
  })
})
