/** What goes over a link: several messages, or several ids, in one small request. */
import { ProtocolError } from '../../errors.ts'
import { MAX_ASK_BYTES } from '../../link/constants.ts'
import { decodeCanonical, encodeCanonical } from '../../records/canonical.ts'
import { ID_BYTES } from './message.ts'

/** Messages of one request: what the smallest of them allow within 64 KiB would take a peer's whole budget at once. */
const MAX_MESSAGES = 64
/** Ids of one request: 16 KiB, the whole cache of a quiet node. */
export const MAX_IDS = 1024

/** Splits messages into requests that fit. */
export function toBatches(messages: readonly Uint8Array[]): Uint8Array[] {
  const batches: Uint8Array[] = []
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const message of messages) {
    // A header of CBOR has at most five bytes; ten leave room.
    if (batch.length === MAX_MESSAGES || bytes + message.length + 10 > MAX_ASK_BYTES - 10) {
      batches.push(encodeCanonical(batch))
      batch = []
      bytes = 0
    }
    batch.push(message)
    bytes += message.length + 10
  }
  if (batch.length > 0) batches.push(encodeCanonical(batch))
  return batches
}

/** @throws ProtocolError when it is no list of messages */
export function fromBatch(bytes: Uint8Array): readonly Uint8Array[] {
  return bytesList(bytes, MAX_MESSAGES)
}

/** The ids that fit into one request, the first of them first. */
export function encodeIds(ids: readonly string[]): Uint8Array {
  return encodeCanonical(ids.slice(0, MAX_IDS).map((id) => Buffer.from(id, 'hex')))
}

/** @throws ProtocolError when it is no list of ids */
export function decodeIds(bytes: Uint8Array): string[] {
  return bytesList(bytes, MAX_IDS).map((id) => {
    if (id.length !== ID_BYTES) throw new ProtocolError(`An id of gossip has ${ID_BYTES} bytes.`)
    return Buffer.from(id).toString('hex')
  })
}

function bytesList(bytes: Uint8Array, max: number): readonly Uint8Array[] {
  let list: unknown
  try {
    list = decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('No deterministic CBOR.', { cause })
  }
  if (!Array.isArray(list) || list.length > max || !list.every((one) => one instanceof Uint8Array)) {
    throw new ProtocolError(`Not a list of at most ${max} byte strings.`)
  }
  return list as Uint8Array[]
}
