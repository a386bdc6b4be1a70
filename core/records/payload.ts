/** The signed part of a record as plain CBOR values, and the rules that its fields keep. Pure. */
import { ProtocolError } from '../errors.ts'
import { KEY_BYTES } from '../identity/identity.ts'
import { normaliseName } from './name.ts'
import { MAX_ENDPOINTS, MAX_TTL_SECONDS, MAX_WEIGHT, type ServiceMetadata, type ServiceRecord } from './record.ts'

/** Version of the format. A reader refuses others; fields that it does not know it ignores, so a version can gain fields. */
const VERSION = 1
/** Longest endpoint: addresses of networks reach some 120 characters. */
const MAX_ENDPOINT_LENGTH = 255
/** Longest text of the metadata, and how many capabilities: they are shown in one line. */
const MAX_TEXT_LENGTH = 64
const MAX_CAPABILITIES = 16

/** A path of protocols or a URL, in printable ASCII: it is printed to terminals and handed to diallers. */
const ENDPOINT = /^(\/|[a-z][a-z0-9+.-]*:)[\x21-\x7e]+$/
/** No control characters, line or paragraph separators, or marks that turn the direction of writing: the texts are printed to terminals. */
const TEXT = /^[^\p{C}\p{Zl}\p{Zp}]+$/u

/** The record as the map that is encoded: absent and empty fields are left out. */
export function toPayload(record: ServiceRecord): Record<string, unknown> {
  const { version, protocol, capabilities } = record.metadata
  const metadata = {
    ...(version === undefined ? {} : { v: version }),
    ...(protocol === undefined ? {} : { p: protocol }),
    ...(capabilities === undefined ? {} : { c: [...capabilities] }),
  }
  return {
    v: VERSION,
    k: record.serviceKey,
    ...(record.name === undefined ? {} : { n: record.name }),
    e: [...record.endpoints],
    ...(record.weights === undefined ? {} : { w: [...record.weights] }),
    ...(Object.keys(metadata).length === 0 ? {} : { m: metadata }),
    t: record.ttlSeconds,
    s: record.sequence,
    i: record.issuedAt,
    ...(record.tombstone ? { x: true } : {}),
  }
}

/** @throws ProtocolError (`BEAM_ERR_RECORD_INVALID`) saying which field breaks its rule. */
export function fromPayload(value: unknown): ServiceRecord {
  const payload = mapOf(value, 'the payload')
  if (field(payload, 'v') !== VERSION) throw invalid('its version is not 1')
  const [name, weights] = [field(payload, 'n'), field(payload, 'w')]
  const record = {
    ...(name === undefined ? {} : { name: name as string }),
    serviceKey: field(payload, 'k') as Uint8Array,
    endpoints: field(payload, 'e') as string[],
    ...(weights === undefined ? {} : { weights: weights as number[] }),
    metadata: metadataOf(field(payload, 'm')),
    ttlSeconds: field(payload, 't') as number,
    sequence: field(payload, 's') as number,
    issuedAt: field(payload, 'i') as number,
    tombstone: (field(payload, 'x') ?? false) as boolean,
  }
  checkRecord(record)
  // The decoder hands out a view of the received bytes, which their owner may use again.
  return { ...record, serviceKey: new Uint8Array(record.serviceKey) }
}

/**
 * Holds a record against the rules of every field, whatever its type says: it may come from outside.
 * @throws ProtocolError (`BEAM_ERR_RECORD_INVALID`)
 */
export function checkRecord(record: ServiceRecord): void {
  const { name, serviceKey, endpoints, weights, metadata, ttlSeconds, sequence, issuedAt, tombstone } = record
  if (!(serviceKey instanceof Uint8Array) || serviceKey.length !== KEY_BYTES) throw invalid('its key has not 32 bytes')
  if (name !== undefined && !isNormalised(name)) throw invalid('its name is no domain in normal form')
  if (!isTextList(endpoints, MAX_ENDPOINTS, (text) => text.length <= MAX_ENDPOINT_LENGTH && ENDPOINT.test(text))) {
    throw invalid(`its endpoints are not at most ${MAX_ENDPOINTS} printable addresses`)
  }
  if (weights !== undefined && !isWeights(weights, endpoints.length)) {
    throw invalid(`its weights are not one number from 1 to ${MAX_WEIGHT} for each endpoint`)
  }
  if (!isWhole(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS)
    throw invalid(`its ttl is not 1 to ${MAX_TTL_SECONDS} seconds`)
  if (!isWhole(sequence) || !isWhole(issuedAt)) throw invalid('its sequence number or time is no whole number')
  if (typeof tombstone !== 'boolean') throw invalid('its withdrawal is neither true nor false')
  if (tombstone && endpoints.length > 0) throw invalid('it is withdrawn and yet has endpoints')
  const { version, protocol, capabilities } = metadata
  if ([version, protocol].some((text) => text !== undefined && !isShownText(text))) throw invalid('its metadata is no short printable text')
  if (capabilities !== undefined && !isTextList(capabilities, MAX_CAPABILITIES, isShownText)) {
    throw invalid(`its capabilities are not at most ${MAX_CAPABILITIES} short printable texts`)
  }
}

function metadataOf(value: unknown): ServiceMetadata {
  if (value === undefined) return {}
  const map = mapOf(value, 'the metadata')
  const [version, protocol, capabilities] = [field(map, 'v'), field(map, 'p'), field(map, 'c')]
  return {
    ...(version === undefined ? {} : { version: version as string }),
    ...(protocol === undefined ? {} : { protocol: protocol as string }),
    ...(capabilities === undefined ? {} : { capabilities: capabilities as string[] }),
  }
}

function mapOf(value: unknown, what: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) throw invalid(`${what} is no map`)
  return value
}

/** A field of its own, never one of the prototype's. */
function field(map: object, key: string): unknown {
  return Object.hasOwn(map, key) ? (map as Record<string, unknown>)[key] : undefined
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isShownText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH && TEXT.test(value)
}

function isTextList(value: unknown, max: number, accepts: (text: string) => boolean): boolean {
  return Array.isArray(value) && value.length <= max && value.every((item) => typeof item === 'string' && accepts(item))
}

function isWeights(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every((item) => isWhole(item) && item >= 1 && item <= MAX_WEIGHT)
}

function isNormalised(name: unknown): boolean {
  try {
    return typeof name === 'string' && normaliseName(name) === name
  } catch {
    return false
  }
}

function invalid(why: string): ProtocolError {
  return new ProtocolError(`Not a service record: ${why}.`, { code: 'BEAM_ERR_RECORD_INVALID' })
}
