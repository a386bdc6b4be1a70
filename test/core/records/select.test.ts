import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRecords, selectNewest, tombstoneOf, type ServiceRecord } from '../../../core/index.ts'
import { NOW, anyRecord, sample, stranger } from './arbitrary-record.ts'

describe('selectNewest', () => {
  it('takes the highest sequence number, in whatever order the records came', () => {
    const close = anyRecord.chain((record) => fc.integer({ min: 0, max: 3 }).map((sequence): ServiceRecord => ({ ...record, sequence })))
    fc.assert(
      fc.property(fc.array(close, { minLength: 1, maxLength: 6 }), (records) => {
        const newest = selectNewest(records)
        expect(newest?.sequence).toBe(Math.max(...records.map((record) => record.sequence)))
        expect(selectNewest(records.toReversed())).toEqual(newest)
        for (const record of records) expect(compareRecords(newest!, record)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('lets a withdrawal win over older records and over one with the same number', () => {
    const tombstone = tombstoneOf(sample, { now: NOW })
    expect(selectNewest([tombstone, sample])).toBe(tombstone)
    expect(selectNewest([{ ...sample, sequence: tombstone.sequence }, tombstone])).toBe(tombstone)
  })

  it('lets a newer record come back after a withdrawal', () => {
    const tombstone = tombstoneOf(sample, { now: NOW })
    const again = { ...sample, sequence: tombstone.sequence + 1 }
    expect(selectNewest([again, tombstone])).toBe(again)
  })

  it('prefers the later of two with the same number', () => {
    const later = { ...sample, issuedAt: sample.issuedAt + 1 }
    expect(selectNewest([sample, later])).toBe(later)
    expect(selectNewest([later, sample])).toBe(later)
  })

  it('has nothing to choose among none', () => {
    expect(selectNewest([])).toBeUndefined()
  })

  it('refuses records of several services', () => {
    expect(() => selectNewest([sample, { ...sample, serviceKey: stranger.publicKey }])).toThrow(RangeError)
  })
})
