/**
 * What stands in the DHT in place of a record that was withdrawn: one byte, which no record is. It is signed by the service key like
 * any value and carries a higher sequence number, so that nodes keep it instead of the old record. A withdrawal that the publisher signed
 * (`Announcement.withdrawal`) is better: whoever has an older copy can tell that it is void.
 */
export const TOMBSTONE: Uint8Array = Uint8Array.of(0)

/** Longest value that is looked at. hyperdht packs a value into one UDP packet; the largest one that was ever stored had 1837 bytes. */
const MAX_VALUE_BYTES = 1_837

/** The record in a value of the DHT; undefined when it was withdrawn, or is too large to be one. */
export function recordOf(value: Uint8Array): Uint8Array | undefined {
  return value.length <= 1 || value.length > MAX_VALUE_BYTES ? undefined : value
}
