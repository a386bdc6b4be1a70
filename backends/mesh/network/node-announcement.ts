import { randomInt } from 'node:crypto'
import {
  encodeRecord,
  newRecord,
  seedOf,
  tombstoneOf,
  type Announced,
  type Candidates,
  type Clock,
  type Discovery,
  type Identity,
  type ServiceRecord,
} from '../../../core/index.ts'
import { RENEW_AFTER } from '../constants.ts'
import { findContacts } from '../find-contacts.ts'

/** Names under which nodes are announced: a node of the DHT lists twenty claimants of one name at most, so there are sixteen. */
const SHARDS = 16
/** How long one look may take, and how many nodes it takes in. */
const SEEK_LIMIT_MS = 8_000
const MAX_FOUND = 16

const shardName = (shard: number): string => `n${shard.toString(16)}.nodes.beam`

/** Makes a node known to nodes that look for peers, until the returned thing is stopped. */
export function announceNode(parts: {
  readonly discovery: Discovery
  readonly identity: Identity
  readonly port: number
  readonly endpoints: () => readonly string[]
  readonly clock: Clock
}): { update(): void; stop(): Promise<void> } {
  const { discovery, identity, port, endpoints, clock } = parts
  const domain = shardName((identity.publicKey[0] ?? 0) % SHARDS)
  let record: ServiceRecord | undefined
  const sign = (beyond = 0): Uint8Array => {
    const previous = Math.max(record?.sequence ?? 0, beyond)
    record = newRecord(
      { serviceKey: identity.publicKey, name: domain, endpoints: endpoints(), metadata: { protocol: 'beam-node' } },
      { now: clock.now(), previous },
    )
    return encodeRecord(record, identity)
  }
  const sequence = (): number => record?.sequence ?? 0
  const announced: Announced = discovery.announce({
    serviceKey: identity.publicKey,
    seed: seedOf(identity),
    record: sign(),
    sequence: sequence(),
    port,
    domain,
    withdrawal: (last) => {
      const tombstone = tombstoneOf({ ...(record as ServiceRecord), sequence: Math.max(last, sequence()) }, { now: clock.now() })
      return { record: encodeRecord(tombstone, identity), sequence: tombstone.sequence }
    },
    onSuperseded: (last) => announced.update(sign(last), sequence()),
  })
  const renewMs = (record as unknown as ServiceRecord).ttlSeconds * 1000 * RENEW_AFTER
  const stopRenewal = clock.every(renewMs, () => announced.update(sign(), sequence()))
  return {
    /** The endpoints have changed. */
    update: () => announced.update(sign(), sequence()),
    async stop() {
      stopRenewal()
      await announced.stop()
    },
  }
}

/** Looks for nodes under one of their names, and takes those that it finds for candidates. Resolves with how many it found. */
export async function seekNodes(parts: {
  readonly discovery: Discovery
  readonly candidates: Candidates
  readonly ownKey: Uint8Array
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<number> {
  const { discovery, candidates, ownKey, clock } = parts
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(SEEK_LIMIT_MS)])
  let found = 0
  for await (const key of discovery.claimants(shardName(randomInt(SHARDS)), { signal })) {
    if (Buffer.compare(key, ownKey) === 0) continue
    for await (const contact of findContacts(discovery, key, { signal, now: clock.now })) {
      if (contact.kind !== 'tcp') continue
      candidates.add({ key, contact: { host: contact.host, port: contact.port }, source: 'dht' })
      found++
      break
    }
    if (found >= MAX_FOUND) break
  }
  return found
}
