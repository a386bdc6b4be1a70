import { describe, expect, it } from 'vitest'
import { MAX_TTL_SECONDS, decodeRecord, encodeRecord, newRecord, nextSequence, tombstoneOf } from '../../../core/index.ts'
import { NOW, identity, sample } from './arbitrary-record.ts'

describe('nextSequence', () => {
  it('is the time when nothing came before, so that a restart continues above', () => {
    expect(nextSequence(undefined, NOW + 0.7)).toBe(NOW)
  })

  it('grows within one millisecond and when the clock goes back', () => {
    expect(nextSequence(NOW, NOW)).toBe(NOW + 1)
    expect(nextSequence(NOW, NOW - 5000)).toBe(NOW + 1)
    expect(nextSequence(NOW, NOW + 5000)).toBe(NOW + 5000)
  })
})

describe('newRecord', () => {
  it('fills in an hour of life, the time and the sequence number', () => {
    const record = newRecord({ serviceKey: identity.publicKey, endpoints: [] }, { now: NOW, previous: NOW + 3 })
    expect(record).toEqual({
      serviceKey: identity.publicKey,
      endpoints: [],
      metadata: {},
      ttlSeconds: 3600,
      sequence: NOW + 4,
      issuedAt: NOW,
      tombstone: false,
    })
    expect(decodeRecord(encodeRecord(record, identity), { now: NOW }).ttlSeconds).toBe(3600)
  })
})

describe('tombstoneOf', () => {
  it('is newer than the record, has no endpoints and outlives any record', () => {
    const tombstone = tombstoneOf(sample, { now: sample.issuedAt })
    expect(tombstone).toMatchObject({
      name: 'myapp.local',
      sequence: sample.sequence + 1,
      endpoints: [],
      ttlSeconds: MAX_TTL_SECONDS,
      tombstone: true,
    })
    expect(decodeRecord(encodeRecord(tombstone, identity), { now: NOW })).toEqual({ ...tombstone, metadata: {} })
  })
})
