import { createHash } from 'node:crypto'
import { ProtocolError } from '../../errors.ts'
import { KEY_BYTES, signWith, verifySignature, type Identity } from '../../identity/identity.ts'
import { decodeCanonical, encodeCanonical } from '../../records/canonical.ts'
import { CLOCK_SKEW_MS } from '../../records/codec.ts'

/** What a message tells: a service came or changed, a service went, a node lives, a node's paths changed. */
export const GOSSIP_TYPES = ['announce', 'departure', 'heartbeat', 'route-update'] as const
/** One of the kinds of news. */
export type GossipType = (typeof GOSSIP_TYPES)[number]

/** News of a node, as it signed it. */
export interface GossipMessage {
  readonly type: GossipType
  /** Node key of whoever says it. */
  readonly origin: Uint8Array
  /** Grows with every message of the origin. */
  readonly sequence: number
  /** When it was signed, in milliseconds since the epoch. */
  readonly sentAt: number
  /** How long it is news, in seconds after `sentAt`. */
  readonly ttlSeconds: number
  /** What it tells, in the form of its type. */
  readonly payload: Uint8Array
}

/** A message on its way: the signed bytes stay as they are, the hop limit goes down at every node. */
export interface Envelope {
  /** Nodes that it may still be handed on by. */
  readonly hops: number
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** A service record has at most 900 bytes; 1 KiB also holds the paths of a route update. */
export const MAX_PAYLOAD_BYTES = 1024
/** Payload, key, signature and the few numbers. */
const MAX_ENVELOPE_BYTES = MAX_PAYLOAD_BYTES + 256
/** Ten rounds reach any network that gossip is for (six per round: 60 million); it bounds what a message can cost in all. */
export const MAX_HOPS = 10
/** News older than ten minutes is in the DHT; it also bounds how long a message can be replayed. */
export const MAX_GOSSIP_TTL_SECONDS = 600
/** Bytes of a message's id: nobody finds two messages with the same 128 bits before the news is old. */
export const ID_BYTES = 16

/** A signature for gossip is none for records or TLS, whose signed bytes begin otherwise. */
const SIGNATURE_PREFIX = Buffer.from('beam gossip v1\0')
const SIGNATURE_BYTES = 64
const VERSION = 1

/** Signs a message. The caller keeps payloads within their limit. */
export function sealMessage(message: Omit<GossipMessage, 'origin'>, identity: Identity, hops: number = MAX_HOPS): Envelope {
  const { type, sequence, sentAt, ttlSeconds, payload } = message
  if (payload.length > MAX_PAYLOAD_BYTES) throw invalid(`its payload has ${payload.length} bytes, ${MAX_PAYLOAD_BYTES} are allowed`)
  const signed = encodeCanonical([VERSION, GOSSIP_TYPES.indexOf(type), identity.publicKey, sequence, sentAt, ttlSeconds, payload])
  return { hops, signed, signature: signWith(identity, Buffer.concat([SIGNATURE_PREFIX, signed])) }
}

/** What names a message: the same for every copy of it, whatever its hop limit. */
export function messageId(envelope: Pick<Envelope, 'signed'>): string {
  return createHash('sha256').update(envelope.signed).digest().toString('hex', 0, ID_BYTES)
}

/** The bytes of an envelope. */
export function encodeEnvelope({ hops, signed, signature }: Envelope): Uint8Array {
  return encodeCanonical([hops, signed, signature])
}

/**
 * Reads an envelope without checking who signed it, which costs a hundred times as much.
 * @throws ProtocolError (`BEAM_ERR_LINK_PROTOCOL`) when it has no form of one
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw invalid(`it has ${bytes.length} bytes`)
  const [hops, signed, signature, ...rest] = listOf(bytes)
  if (rest.length > 0 || !isWhole(hops) || hops > MAX_HOPS || !isBytes(signed) || !isBytes(signature, SIGNATURE_BYTES)) {
    throw invalid('it is no envelope')
  }
  // A copy: the decoder gives views of a buffer that belongs to the link.
  return { hops, signed: Buffer.from(signed), signature: Buffer.from(signature) }
}

/**
 * Checks who signed an envelope and that it is news, and reads it.
 * @throws ProtocolError: malformed or forged; UntimelyMessage: from the future, or past its time
 */
export function openEnvelope({ signed, signature }: Envelope, now: number): GossipMessage {
  const [version, kind, origin, sequence, sentAt, ttlSeconds, payload, ...rest] = listOf(signed)
  const type = isWhole(kind) ? GOSSIP_TYPES[kind] : undefined
  if (version !== VERSION || rest.length > 0 || type === undefined) throw invalid('its version or type is unknown')
  if (!isBytes(origin, KEY_BYTES) || !isBytes(payload) || payload.length > MAX_PAYLOAD_BYTES) throw invalid('its key or payload is wrong')
  if (!isWhole(sequence) || !isWhole(sentAt) || !isWhole(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_GOSSIP_TTL_SECONDS) {
    throw invalid('its numbers are wrong')
  }
  if (!verifySignature(origin, Buffer.concat([SIGNATURE_PREFIX, signed]), signature)) throw invalid('the signature is wrong')
  if (sentAt > now + CLOCK_SKEW_MS) throw new UntimelyMessage('from the future', origin, sentAt)
  if (now > sentAt + ttlSeconds * 1000 + CLOCK_SKEW_MS) throw new UntimelyMessage('past its time', origin, sentAt)
  return { type, origin: Buffer.from(origin), sequence, sentAt, ttlSeconds, payload: Buffer.from(payload) }
}

/** A genuine message that is no news any more, or not yet: the fault of a clock, and of nobody who hands it on. */
export class UntimelyMessage extends ProtocolError {
  readonly origin: Uint8Array
  /** By the clock of its origin, in milliseconds since the epoch. */
  readonly sentAt: number

  constructor(how: string, origin: Uint8Array, sentAt: number) {
    super(`The gossip message is ${how}.`, { code: 'BEAM_ERR_LINK_PROTOCOL' })
    this.origin = origin
    this.sentAt = sentAt
  }
}

function listOf(bytes: Uint8Array): readonly unknown[] {
  let value: unknown
  try {
    value = decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('Not a gossip message: it is no deterministic CBOR.', { code: 'BEAM_ERR_LINK_PROTOCOL', cause })
  }
  if (!Array.isArray(value)) throw invalid('it is no list')
  return value as readonly unknown[]
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length)
}

function invalid(why: string): ProtocolError {
  return new ProtocolError(`Not a gossip message: ${why}.`, { code: 'BEAM_ERR_LINK_PROTOCOL' })
}
