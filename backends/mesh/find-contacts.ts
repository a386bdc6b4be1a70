import {
  contacts,
  decodeRecord,
  isBeamError,
  relays,
  selectNewest,
  type Contact,
  type Discovery,
  type ServiceRecord,
} from '../../core/index.ts'

/** What a lookup is told beside the contacts. */
export interface FindOptions {
  readonly signal: AbortSignal
  readonly now: () => number
  /** Told of every genuine record. */
  readonly onRecord?: (record: ServiceRecord) => void
  /** Told of genuine records that are past their time, or not in it yet, by this machine's clock. */
  readonly onUntimely?: () => void
}

/**
 * Where a service can be dialled, as the sources of discovery answer. Records are verified here; whether somebody holds the key at a
 * contact shows when it is dialled. A withdrawn service yields nothing of older records.
 */
export async function* findContacts(discovery: Discovery, serviceKey: Uint8Array, options: FindOptions): AsyncIterable<Contact> {
  const records: ServiceRecord[] = []
  let newest: ServiceRecord | undefined
  for await (const found of discovery.find(serviceKey, { signal: options.signal })) {
    const record = found.record === undefined ? undefined : verified(found.record, serviceKey, options)
    if (record !== undefined) {
      records.push(record)
      options.onRecord?.(record)
      newest = selectNewest(records)
      if (newest !== undefined && !newest.tombstone) yield* [...contacts(newest), ...relays(newest)]
    }
    // Where to knock for a stream is remembered by the DHT for a while after the end, and knocking takes long.
    yield* newest?.tombstone === true ? found.contacts.filter(({ kind }) => kind !== 'stream') : found.contacts
  }
}

/** The record, when it is genuine and in its time: what is not is no news, and tells nothing. */
function verified(bytes: Uint8Array, expectedKey: Uint8Array, { now, onUntimely }: FindOptions): ServiceRecord | undefined {
  try {
    return decodeRecord(bytes, { now: now(), expectedKey })
  } catch {
    if (onUntimely !== undefined && isGenuine(bytes, expectedKey)) onUntimely()
    return undefined
  }
}

/** Whether the time is all that is wrong with it: at the end of time every genuine record has expired. */
function isGenuine(bytes: Uint8Array, expectedKey: Uint8Array): boolean {
  try {
    decodeRecord(bytes, { now: Number.MAX_SAFE_INTEGER, expectedKey })
    return true
  } catch (error) {
    return isBeamError(error) && error.code === 'BEAM_ERR_RECORD_EXPIRED'
  }
}
