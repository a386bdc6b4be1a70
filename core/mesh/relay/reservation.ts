/** How a node asks a relay to be reachable through it, and what the relay answers: deterministic CBOR in small requests. */
import { ProtocolError } from '../../errors.ts'
import { KEY_BYTES, signWith, verifySignature, type Identity } from '../../identity/identity.ts'
import { decodeCanonical, encodeCanonical } from '../../records/canonical.ts'

/** The request of a relay. */
export const RESERVE_TOPIC = 'relay/reserve'
/** Services of one node that one relay answers for. */
const MAX_RESERVED_KEYS = 64

/** A signature for a reservation is none for records, gossip or TLS. */
const PROOF_PREFIX = Buffer.from('beam relay reservation v1\0')
const SIGNATURE_BYTES = 64

/** A service that its holder lets a node answer for, at one relay. */
export interface ReservedService {
  readonly serviceKey: Uint8Array
  /** Until when, in milliseconds since the epoch. */
  readonly until: number
  /** The service key's signature: without it anybody could draw a service's visitors to himself, if only to let them wait. */
  readonly proof: Uint8Array
}

/** What a relay grants. */
export interface Reservation {
  /** When it ends, in milliseconds since the epoch, unless it is asked for again. */
  readonly expiresAt: number
  /** Streams at a time to this node. */
  readonly streams: number
  readonly bytesPerSecond: number
}

/** Signs that `node` may answer for the service at `relay` (both node keys). */
export function proveService(
  service: Identity,
  at: { readonly relay: Uint8Array; readonly node: Uint8Array; readonly until: number },
): ReservedService {
  const proof = signWith(service, proofBytes(service.publicKey, at))
  return { serviceKey: service.publicKey, until: at.until, proof }
}

/** Whether the proof is by the service, for this node at this relay. */
export function isProven(service: ReservedService, at: { readonly relay: Uint8Array; readonly node: Uint8Array }): boolean {
  return verifySignature(service.serviceKey, proofBytes(service.serviceKey, { ...at, until: service.until }), service.proof)
}

/** The body of a request for a reservation. */
export function encodeRequest(services: readonly ReservedService[]): Uint8Array {
  return encodeCanonical(services.map(({ serviceKey, until, proof }) => [serviceKey, until, proof]))
}

/** @throws ProtocolError */
export function decodeRequest(bytes: Uint8Array): ReservedService[] {
  const list = listOf(bytes)
  if (list.length > MAX_RESERVED_KEYS) throw invalid('request')
  return list.map((entry) => {
    const [serviceKey, until, proof] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (!isBytes(serviceKey, KEY_BYTES) || !isWhole(until) || !isBytes(proof, SIGNATURE_BYTES)) throw invalid('request')
    return { serviceKey: Buffer.from(serviceKey), until, proof: Buffer.from(proof) }
  })
}

export function encodeReservation({ expiresAt, streams, bytesPerSecond }: Reservation): Uint8Array {
  return encodeCanonical([expiresAt, streams, bytesPerSecond])
}

/** @throws ProtocolError */
export function decodeReservation(bytes: Uint8Array): Reservation {
  const [expiresAt, streams, bytesPerSecond] = listOf(bytes)
  if (!isWhole(expiresAt) || !isWhole(streams) || !isWhole(bytesPerSecond)) throw invalid('answer')
  return { expiresAt, streams, bytesPerSecond }
}

function proofBytes(serviceKey: Uint8Array, { relay, node, until }: { relay: Uint8Array; node: Uint8Array; until: number }): Uint8Array {
  return Buffer.concat([PROOF_PREFIX, encodeCanonical([serviceKey, relay, node, until])])
}

function listOf(bytes: Uint8Array): readonly unknown[] {
  let value: unknown
  try {
    value = decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('No deterministic CBOR.', { cause })
  }
  if (!Array.isArray(value)) throw invalid('list')
  return value as readonly unknown[]
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function invalid(what: string): ProtocolError {
  return new ProtocolError(`Not a ${what} of a reservation.`, { code: 'BEAM_ERR_LINK_PROTOCOL' })
}
