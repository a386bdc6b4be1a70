import { describe, expect, it } from 'vitest'
import { asCases, brokenBy } from './broken-by.ts'
import { STREAM_FLAWS } from './stream-flaws.ts'

describe('the suite finds', () => {
  it.each(asCases(STREAM_FLAWS))('$what', { timeout: 60_000 }, async ({ breaks, flaw, extra }) => {
    expect(await brokenBy(flaw, extra)).toEqual(breaks)
  })
})
