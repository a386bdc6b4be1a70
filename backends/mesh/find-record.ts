import { decodeRecord, parseBeamAddress, selectNewest, type Discovery, type ServiceRecord } from '../../core/index.ts'
import { findContacts } from './find-contacts.ts'

/** After the first record the others get so long to show a newer one: the publisher itself answers within a round trip or two. */
const LINGER_MS = 500

/** Where records come from. */
export interface RecordSearch {
  readonly discovery: Discovery
  readonly now: () => number
  /** Asks the publisher itself. */
  readonly fetchRecord: (address: string, signal: AbortSignal) => Promise<Uint8Array>
  readonly signal: AbortSignal
}

/**
 * The newest record of a service: from the publisher when a link to it can be had, and from everybody who keeps records, side by side. So it
 * is found as well when the publisher cannot be reached through the mesh at present. A withdrawn service has none.
 */
export async function findRecord(
  address: string,
  { discovery, now, fetchRecord, signal }: RecordSearch,
): Promise<ServiceRecord | undefined> {
  const { serviceKey } = parseBeamAddress(address)
  const records: ServiceRecord[] = []
  const ended = new AbortController()
  const limit = AbortSignal.any([signal, ended.signal])
  let linger: NodeJS.Timeout | undefined
  const keep = (record: ServiceRecord): void => {
    records.push(record)
    linger ??= setTimeout(() => ended.abort(), LINGER_MS)
  }
  const fromPublisher = fetchRecord(address, limit).then(
    (bytes) => keep(decodeRecord(bytes, { now: now(), expectedKey: serviceKey })),
    // Nobody there, or no record that counts: the others may have one.
    () => {},
  )
  const fromOthers = (async () => {
    for await (const _ of findContacts(discovery, serviceKey, { signal: limit, now, onRecord: keep }));
  })()
  await Promise.allSettled([fromPublisher, fromOthers])
  clearTimeout(linger)
  const newest = selectNewest(records)
  return newest === undefined || newest.tombstone ? undefined : newest
}
