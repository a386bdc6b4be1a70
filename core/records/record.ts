/** What a service is, as its publisher states it: signed by the service key, found by it, valid for a while. docs/records.md has the wire format. */
export interface ServiceRecord {
  /** The domain that the service claims, in the spelling of `normaliseName`. A claim: others may make it too. */
  readonly name?: string
  /** Ed25519 public key of the service, 32 bytes. */
  readonly serviceKey: Uint8Array
  /** Ways to reach it, the best first: `/ip4/192.0.2.1/tcp/80` to dial directly, or an address of a network (`http://….onion`). Printable ASCII. */
  readonly endpoints: readonly string[]
  /**
   * Shares of new connections for visitors that spread them, one for each endpoint, 1 to {@link MAX_WEIGHT}. Absent = equal shares. All
   * endpoints of one network are one way in, so they carry the same number.
   */
  readonly weights?: readonly number[]
  readonly metadata: ServiceMetadata
  /** How long the record is valid after `issuedAt`, in seconds. */
  readonly ttlSeconds: number
  /** Grows with every record of the service; the highest counts. */
  readonly sequence: number
  /** When it was signed, in milliseconds since the epoch. */
  readonly issuedAt: number
  /** Whether the service is withdrawn: nothing of an older record counts any more. Such a record has no endpoints. */
  readonly tombstone: boolean
}

/** What a service says of itself. Texts for people; nothing depends on them. */
export interface ServiceMetadata {
  /** Version of the service. */
  readonly version?: string
  /** What is spoken on the tunnel: `http`, `ssh`, … */
  readonly protocol?: string
  readonly capabilities?: readonly string[]
}

/** Largest record on the wire, in bytes: values of 1,000 bytes are what the DHT is built to hold, less some room for its own fields. */
export const MAX_RECORD_BYTES = 900
/** An hour: a service that died without a word is forgotten within it, and renewing it costs a packet every half an hour. */
export const DEFAULT_TTL_SECONDS = 3600
/** Two days: the DHT drops values after 48 hours, so more could not be kept. It also bounds how long a stolen record can be replayed. */
export const MAX_TTL_SECONDS = 172_800
/** More than anybody needs and all that fits; it bounds what one record can make a visitor dial. */
export const MAX_ENDPOINTS = 16
/** Largest weight of an endpoint: finer shares than a thousandth nobody can measure. */
export const MAX_WEIGHT = 1000

/** What a publisher states; the rest follows. */
export interface RecordFields {
  readonly serviceKey: Uint8Array
  readonly name?: string | undefined
  readonly endpoints: readonly string[]
  readonly weights?: readonly number[]
  readonly metadata?: ServiceMetadata
  readonly ttlSeconds?: number
}

/**
 * The next sequence number: higher than the previous one, and by the time in milliseconds higher than those of earlier runs, of which
 * nothing has to be remembered. A clock that was set back in between delays newer records until it catches up with the older ones.
 */
export function nextSequence(previous: number | undefined, now: number): number {
  return Math.max((previous ?? 0) + 1, Math.floor(now))
}

/** A record that is to be signed now. `previous` is the sequence number of the last one of this run. */
export function newRecord(fields: RecordFields, options: { readonly now: number; readonly previous?: number | undefined }): ServiceRecord {
  return {
    ...(fields.name === undefined ? {} : { name: fields.name }),
    serviceKey: fields.serviceKey,
    endpoints: fields.endpoints,
    ...(fields.weights === undefined ? {} : { weights: fields.weights }),
    metadata: fields.metadata ?? {},
    ttlSeconds: fields.ttlSeconds ?? DEFAULT_TTL_SECONDS,
    sequence: nextSequence(options.previous, options.now),
    issuedAt: Math.floor(options.now),
    tombstone: false,
  }
}

/** The record that withdraws another. It lives as long as any record can, so that none it withdraws outlives it. */
export function tombstoneOf(record: ServiceRecord, options: { readonly now: number }): ServiceRecord {
  const { name, serviceKey, sequence } = record
  const fields = { serviceKey, name, endpoints: [], ttlSeconds: MAX_TTL_SECONDS }
  return { ...newRecord(fields, { now: options.now, previous: sequence }), tombstone: true }
}
