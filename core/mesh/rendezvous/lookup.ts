/** What a meeting place answers: the record of a service, and who claims a name. Nothing of it is trusted by who asks. */
import { ProtocolError } from '../../errors.ts'
import { KEY_BYTES } from '../../identity/identity.ts'
import { MAX_NAME_LENGTH } from '../../records/name.ts'
import { compareRecords } from '../../records/select.ts'
import type { RecordCache } from '../gossip/record-cache.ts'
import type { MeshNode } from '../node/mesh-node.ts'

/** The two requests: a service key of 32 bytes is answered with its record (or nothing), a name with the keys that claim it. */
export const LOOKUP_TOPICS = { record: 'records/find', name: 'records/claimants' } as const

/** Claimants in one answer: what a node of the DHT lists, too. */
const MAX_CLAIMANTS_TOLD = 20

/** Lets a node answer from the records that it holds (what it heard, what was registered with it), until the returned function is called. */
export function serveLookups(node: MeshNode, ...sources: readonly RecordCache[]): () => void {
  const undo = [
    node.serve(LOOKUP_TOPICS.record, (body) => {
      if (body.length !== KEY_BYTES) throw new ProtocolError('A service key has 32 bytes.')
      const held = sources.flatMap((source) => source.entry(body) ?? [])
      return held.sort((a, b) => compareRecords(b.record, a.record))[0]?.bytes ?? new Uint8Array()
    }),
    node.serve(LOOKUP_TOPICS.name, (body) => {
      if (body.length > MAX_NAME_LENGTH) throw new ProtocolError('The name is too long.')
      const name = body.toString('utf8')
      const keys = sources.flatMap((source) => source.claimants(name))
      const distinct = [...new Map(keys.map((key) => [Buffer.from(key).toString('hex'), key])).values()]
      return Buffer.concat(distinct.slice(0, MAX_CLAIMANTS_TOLD))
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
