/** What a node that keeps records answers: the record of a service, and who claims a name. Nothing of it is trusted by who asks. */
import { ProtocolError } from '../../errors.ts'
import { KEY_BYTES } from '../../identity/identity.ts'
import { MAX_NAME_LENGTH } from '../../records/name.ts'
import type { RecordCache } from '../gossip/record-cache.ts'
import type { MeshNode } from '../node/mesh-node.ts'

/** The two requests: a service key of 32 bytes is answered with its record (or nothing), a name with the keys that claim it. */
export const LOOKUP_TOPICS = { record: 'records/find', name: 'records/claimants' } as const

/** Claimants in one answer: what a node of the DHT lists, too. */
const MAX_CLAIMANTS_TOLD = 20

/** Lets a node answer from the records that it has heard of, until the returned function is called. */
export function serveLookups(node: MeshNode, records: RecordCache): () => void {
  const undo = [
    node.serve(LOOKUP_TOPICS.record, (body) => {
      if (body.length !== KEY_BYTES) throw new ProtocolError('A service key has 32 bytes.')
      return records.find(body) ?? new Uint8Array()
    }),
    node.serve(LOOKUP_TOPICS.name, (body) => {
      if (body.length > MAX_NAME_LENGTH) throw new ProtocolError('The name is too long.')
      return Buffer.concat(records.claimants(body.toString('utf8')).slice(0, MAX_CLAIMANTS_TOLD))
    }),
  ]
  return () => undo.forEach((end) => end())
}

/** The keys in an answer to a name. @throws ProtocolError */
export function decodeClaimants(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % KEY_BYTES !== 0 || bytes.length > MAX_CLAIMANTS_TOLD * KEY_BYTES)
    throw new ProtocolError('Not a list of service keys.')
  return Array.from({ length: bytes.length / KEY_BYTES }, (_, index) => bytes.slice(index * KEY_BYTES, (index + 1) * KEY_BYTES))
}
