import { afterAll, describe, expect, it } from 'vitest'
import { PROMISE_IDS } from '../../core/testing/index.ts'
import { asCases, brokenBy, LITTLE_TRAFFIC } from './broken-by.ts'
import { CONTRACT_FLAWS } from './contract-flaws.ts'
import { closeLeaks } from './flaw-parts.ts'
import { STREAM_FLAWS } from './stream-flaws.ts'

afterAll(closeLeaks)

describe('the suite finds', () => {
  it('nothing wrong with a backend without a flaw', async () => {
    expect(await brokenBy(() => ({}))).toEqual([])
  })

  it.each(asCases(CONTRACT_FLAWS))('$what', { timeout: 60_000 }, async ({ breaks, flaw, extra }) => {
    expect(await brokenBy(flaw, { sizes: LITTLE_TRAFFIC, ...extra })).toEqual(breaks)
  })

  it('for every promise a flaw that breaks it', () => {
    const broken = new Set([...CONTRACT_FLAWS, ...STREAM_FLAWS].flatMap(([, breaks]) => breaks))
    expect(PROMISE_IDS.filter((id) => !broken.has(id))).toEqual([])
  })
})
