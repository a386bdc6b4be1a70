import { ProtocolError } from '../errors.ts'
import { KEY_BYTES, signWith, verifySignature, type Identity } from '../identity/identity.ts'
import { decodeCanonical, encodeCanonical } from './canonical.ts'
import { checkRecord, fromPayload, toPayload } from './payload.ts'
import { MAX_ENDPOINTS, MAX_RECORD_BYTES, type ServiceRecord } from './record.ts'

/**
 * Stands before the signed bytes. The service key also signs TLS handshakes and DHT entries: a signature made for one of them is never
 * valid as another, since those begin with other bytes.
 */
const SIGNATURE_PREFIX = Buffer.from('beam service record v1\0')
/** Length of an Ed25519 signature (RFC 8032 section 5.1.6). */
const SIGNATURE_BYTES = 64

/**
 * How far the clocks of publisher and reader may be apart, in milliseconds: five minutes, what Kerberos allows (RFC 4120 section 8.2).
 * Records last an hour, so that little more does no harm; machines that are set by hand are seldom further off.
 */
export const CLOCK_SKEW_MS = 300_000

/**
 * Signs a record: deterministic CBOR, at most 900 bytes.
 * @throws ProtocolError (`BEAM_ERR_RECORD_INVALID`) when the record breaks a rule, is too large, or is of another key than the identity.
 */
export function encodeRecord(record: ServiceRecord, identity: Identity): Uint8Array {
  checkRecord(record)
  if (!sameKey(record.serviceKey, identity.publicKey)) throw invalid('the record is of another key than the one that signs it')
  const bytes = sign(record, identity)
  if (bytes.length > MAX_RECORD_BYTES) {
    throw invalid(`the record has ${bytes.length} bytes, ${MAX_RECORD_BYTES} are allowed`, 'Publish fewer endpoints or less metadata.')
  }
  return bytes
}

/** The record with as many of its endpoints, from the first on, as fit into one. A machine can have more addresses than a record has room. */
export function fitRecord(record: ServiceRecord): ServiceRecord {
  let fitting = record.endpoints.length > MAX_ENDPOINTS ? withFirst(record, MAX_ENDPOINTS) : record
  const size = (): number => encodeCanonical([encodeCanonical(toPayload(fitting)), new Uint8Array(SIGNATURE_BYTES)]).length
  while (fitting.endpoints.length > 0 && size() > MAX_RECORD_BYTES) fitting = withFirst(fitting, fitting.endpoints.length - 1)
  return fitting
}

function withFirst(record: ServiceRecord, count: number): ServiceRecord {
  const { endpoints, weights } = record
  return { ...record, endpoints: endpoints.slice(0, count), ...(weights === undefined ? {} : { weights: weights.slice(0, count) }) }
}

/** What a reader knows. */
export interface DecodeRecordOptions {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The service key that was looked up; a record of any other key is refused. */
  readonly expectedKey?: Uint8Array
}

/**
 * Checks and reads a record from outside. Never throws anything but the two:
 * @throws ProtocolError `BEAM_ERR_RECORD_INVALID` when it is malformed, too large, forged, of another key or from the future;
 *   `BEAM_ERR_RECORD_EXPIRED` when it is genuine but past its time.
 */
export function decodeRecord(bytes: Uint8Array, { now, expectedKey }: DecodeRecordOptions): ServiceRecord {
  if (bytes.length > MAX_RECORD_BYTES) throw invalid(`the record has ${bytes.length} bytes, ${MAX_RECORD_BYTES} are allowed`)
  const { payload, signature } = openEnvelope(bytes)
  const record = fromPayload(parse(payload))
  // The costly check comes after the cheap ones, and before anything is said about the time: that is only worth saying of genuine records.
  if (expectedKey !== undefined && !sameKey(record.serviceKey, expectedKey)) throw invalid('the record is of another key')
  if (!verifySignature(record.serviceKey, Buffer.concat([SIGNATURE_PREFIX, payload]), signature)) throw invalid('the signature is wrong')
  if (record.issuedAt > now + CLOCK_SKEW_MS) {
    throw invalid('the record is from the future', 'Compare this machine’s clock with the publisher’s.')
  }
  if (isExpired(record, now)) {
    throw new ProtocolError('The service record is past its time to live.', {
      code: 'BEAM_ERR_RECORD_EXPIRED',
      retry: 'later',
      hint: 'The publisher has stopped renewing it, or the clock of one of the two machines is wrong.',
    })
  }
  return record
}

/** Whether a record is past its time to live (with the allowance for clocks that differ). */
export function isExpired(record: ServiceRecord, now: number): boolean {
  return now > record.issuedAt + record.ttlSeconds * 1000 + CLOCK_SKEW_MS
}

function sign(record: ServiceRecord, identity: Identity): Uint8Array {
  const payload = encodeCanonical(toPayload(record))
  return encodeCanonical([payload, signWith(identity, Buffer.concat([SIGNATURE_PREFIX, payload]))])
}

function openEnvelope(bytes: Uint8Array): { payload: Uint8Array; signature: Uint8Array } {
  const envelope = parse(bytes)
  const [payload, signature] = Array.isArray(envelope) && envelope.length === 2 ? (envelope as unknown[]) : []
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) {
    throw invalid('it is not a payload and a signature')
  }
  return { payload, signature }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('Not a service record: it is no deterministic CBOR.', { code: 'BEAM_ERR_RECORD_INVALID', cause })
  }
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === KEY_BYTES && Buffer.compare(a, b) === 0
}

function invalid(why: string, hint?: string): ProtocolError {
  return new ProtocolError(`Not a service record: ${why}.`, { code: 'BEAM_ERR_RECORD_INVALID', hint })
}
