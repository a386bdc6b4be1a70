import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sensitive } from '../../core/index.ts'

describe('sensitive', () => {
  it('shows the end of a long value', () => {
    expect(sensitive('2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion')).toBe('[…]id.onion')
  })

  it('shows at most a quarter of a short one, such as an IP address', () => {
    expect(sensitive('203.0.113.77')).toBe('[…].77')
    expect(sensitive('::1')).toBe('[…]')
    expect(sensitive('')).toBe('[…]')
  })

  it('never shows more than eight characters, nor more than a quarter, of any value', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const shown = sensitive(value)
        expect(shown.startsWith('[…]')).toBe(true)
        expect(shown.length - 3).toBeLessThanOrEqual(Math.min(8, value.length / 4))
        expect(value.endsWith(shown.slice(3))).toBe(true)
      }),
    )
  })
})
