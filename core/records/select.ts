import { encodeCanonical } from './canonical.ts'
import { toPayload } from './payload.ts'
import type { ServiceRecord } from './record.ts'

/**
 * Which of two verified records of one service counts: above 0 when `a` does, below 0 when `b` does, 0 when they are the same.
 * The higher sequence number; among equal ones a withdrawal, so that nobody can undo it with a record that was signed beside it; then the
 * later one, then the greater bytes, so that all readers choose alike whatever they saw first.
 */
export function compareRecords(a: ServiceRecord, b: ServiceRecord): number {
  return (
    a.sequence - b.sequence ||
    Number(a.tombstone) - Number(b.tombstone) ||
    a.issuedAt - b.issuedAt ||
    Buffer.compare(encodeCanonical(toPayload(a)), encodeCanonical(toPayload(b)))
  )
}

/**
 * The record that counts among verified ones of one service, in whatever order they came; undefined when there are none. When it is a
 * tombstone the service is withdrawn, whatever the older ones say: keep it as long as it is valid, or an older record comes back.
 * @throws RangeError when the records are of several services (a mistake of the caller).
 */
export function selectNewest(records: readonly ServiceRecord[]): ServiceRecord | undefined {
  const [first, ...others] = records
  if (first === undefined) return undefined
  if (others.some((record) => Buffer.compare(record.serviceKey, first.serviceKey) !== 0))
    throw new RangeError('records of several services')
  return others.reduce((newest, record) => (compareRecords(record, newest) > 0 ? record : newest), first)
}
