import { contacts, decodeRecord, relays, selectNewest, type Contact, type Discovery, type ServiceRecord } from '../../core/index.ts'

/** What a lookup is told beside the contacts. */
export interface FindOptions {
  readonly signal: AbortSignal
  readonly now: () => number
  /** Told of every genuine record. */
  readonly onRecord?: (record: ServiceRecord) => void
}

/**
 * Where a service can be dialled, as the sources of discovery answer. Records are verified here; whether somebody holds the key at a
 * contact shows when it is dialled. A withdrawn service yields nothing of older records.
 */
export async function* findContacts(discovery: Discovery, serviceKey: Uint8Array, options: FindOptions): AsyncIterable<Contact> {
  const records: ServiceRecord[] = []
  for await (const found of discovery.find(serviceKey, { signal: options.signal })) {
    const record = found.record === undefined ? undefined : verified(found.record, serviceKey, options.now())
    if (record !== undefined) {
      records.push(record)
      options.onRecord?.(record)
      const newest = selectNewest(records)
      if (newest !== undefined && !newest.tombstone) yield* [...contacts(newest), ...relays(newest)]
      if (newest?.tombstone === true) continue
    }
    yield* found.contacts
  }
}

/** The record, when it is genuine and in its time: what is not is no news, and tells nothing. */
function verified(bytes: Uint8Array, expectedKey: Uint8Array, now: number): ServiceRecord | undefined {
  try {
    return decodeRecord(bytes, { now, expectedKey })
  } catch {
    return undefined
  }
}
