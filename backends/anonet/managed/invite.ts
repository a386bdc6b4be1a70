/** The texts that friends send each other: an invitation and its answer. Codec without I/O; nothing in them is secret. */
import { createHash } from 'node:crypto'
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { ConfigError, KEY_BYTES, signWith, verifySignature, type Identity } from '../../../core/index.ts'
import { CLOCK_SKEW_SECONDS, LINK_SLOTS, MAX_ENDPOINTS } from '../constants.ts'
import { parsePrefix, prefixText, type Prefix } from '../mesh-address.ts'
import { endpointText, parseEndpoint, type Endpoint } from './endpoint.ts'
import { isPrivateAs } from './plan.ts'

/** What one end says of itself and of the link that is to be. */
export interface Letter {
  readonly kind: 'invite' | 'answer'
  /** Ed25519 key of who writes: 32 bytes. */
  readonly from: Uint8Array
  /** Of an answer: the key of who invited. */
  readonly to?: Uint8Array
  /** 16 random bytes that name the link. */
  readonly link: Uint8Array
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** WireGuard's key (X25519): 32 bytes. */
  readonly wireguardKey: Uint8Array
  readonly endpoints: readonly Endpoint[]
  readonly asn: number
  readonly prefix: Prefix
  /** Which addresses the link has. Chosen by who invites. */
  readonly slot: number
  /** How the writer calls himself. */
  readonly name?: string
}

/** Length of the name of a link. */
export const LINK_BYTES = 16
/** Names are shown in lists. */
export const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$/u

const PREFIXES = { invite: 'anonet-invite-', answer: 'anonet-answer-' } as const
const VERSION = 1
const SIGNATURE_BYTES = 64
const CHECKSUM_BYTES = 4
/** The largest letter with all endpoints and the longest name has about 500 bytes. */
const MAX_BYTES = 1_024
/** As text, with room for what mail programs put in between. */
const MAX_TEXT = 4_096
const SIGNED = Buffer.from('beam anonet letter\0')
const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  rejectDuplicateMapKeys: true,
  useMaps: true,
} as const

/** Fields of the map, by number: shorter than names. */
const FIELD = {
  version: 0,
  kind: 1,
  from: 2,
  to: 3,
  link: 4,
  expiresAt: 5,
  wireguardKey: 6,
  endpoints: 7,
  asn: 8,
  prefix: 9,
  slot: 10,
  name: 11,
} as const

/** Writes and signs a letter: one line of letters, digits, `-` and `_`. */
export function encodeLetter(letter: Letter, identity: Identity): string {
  const fields = new Map<number, unknown>([
    [FIELD.version, VERSION],
    [FIELD.kind, letter.kind === 'invite' ? 0 : 1],
    [FIELD.from, Uint8Array.from(letter.from)],
    ...(letter.to === undefined ? [] : [[FIELD.to, Uint8Array.from(letter.to)] as const]),
    [FIELD.link, Uint8Array.from(letter.link)],
    [FIELD.expiresAt, letter.expiresAt],
    [FIELD.wireguardKey, Uint8Array.from(letter.wireguardKey)],
    [FIELD.endpoints, letter.endpoints.map(endpointText)],
    [FIELD.asn, letter.asn],
    [FIELD.prefix, prefixText(letter.prefix)],
    [FIELD.slot, letter.slot],
    ...(letter.name === undefined ? [] : [[FIELD.name, letter.name] as const]),
  ])
  const payload = encode(fields, rfc8949EncodeOptions)
  const signed = Buffer.concat([payload, signWith(identity, Buffer.concat([SIGNED, payload]))])
  return PREFIXES[letter.kind] + Buffer.concat([signed, checksum(signed)]).toString('base64url')
}

/**
 * Reads a letter and checks its signature and age. White space in it does no harm.
 * @throws ConfigError saying whether it is damaged, forged, expired, or something else altogether
 */
export function decodeLetter(text: string, nowMs: number): Letter {
  if (text.length > MAX_TEXT)
    throw bad('It is too long to be an invitation.', 'Copy the text again: one line that begins with anonet-invite- or anonet-answer-.')
  const line = text.replace(/[\s\u200B-\u200D\u2060\uFEFF]+/g, '')
  const parts = /^anonet-(invite|answer)-([A-Za-z0-9_-]+)$/.exec(line)
  if (parts === null)
    throw bad(
      'That is no invitation and no answer to one.',
      'They begin with anonet-invite- or anonet-answer-; make one with: beam anonet invite',
    )
  const bytes = Buffer.from(parts[2] ?? '', 'base64url')
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  const intact = bytes.length <= MAX_BYTES && body.length > SIGNATURE_BYTES && checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES))
  if (!intact) throw bad('The text is damaged: a part of it is missing or changed.', 'Copy it again, the whole line.')
  const payload = body.subarray(0, -SIGNATURE_BYTES)
  const letter = readFields(payload)
  if (letter === undefined || letter.kind !== parts[1])
    throw bad('The text is not what Beam writes.', 'It may come from another version of Beam.')
  if (!verifySignature(letter.from, Buffer.concat([SIGNED, payload]), body.subarray(-SIGNATURE_BYTES))) {
    throw bad(
      'The signature is wrong: the text was changed after it was written.',
      'Do not trust it; ask your friend for a new one, another way.',
    )
  }
  if (letter.expiresAt * 1_000 < nowMs - CLOCK_SKEW_SECONDS * 1_000) {
    throw bad(
      `It expired on ${new Date(letter.expiresAt * 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
      'Ask your friend for a new one.',
    )
  }
  return letter
}

/** The fields, when all of them are what they must be. */
function readFields(payload: Uint8Array): Letter | undefined {
  let fields: unknown
  try {
    fields = decode(payload, STRICT)
  } catch {
    return undefined
  }
  if (!(fields instanceof Map) || fields.get(FIELD.version) !== VERSION) return undefined
  const get = (name: keyof typeof FIELD): unknown => fields.get(FIELD[name])
  const kind = ({ 0: 'invite', 1: 'answer' } as const)[get('kind') as 0 | 1]
  const [from, to, link, wireguardKey] = [get('from'), get('to'), get('link'), get('wireguardKey')]
  const [expiresAt, asn, slot, name] = [get('expiresAt'), get('asn'), get('slot'), get('name')]
  const prefix = parsePrefix(String(get('prefix')))
  const texts = get('endpoints')
  if (kind === undefined || !isBytes(from, KEY_BYTES) || !isBytes(link, LINK_BYTES) || !isBytes(wireguardKey, KEY_BYTES)) return undefined
  if ((kind === 'answer') !== (to !== undefined) || (to !== undefined && !isBytes(to, KEY_BYTES))) return undefined
  if (!isWhole(expiresAt, MAX_SECONDS) || !isWhole(slot, LINK_SLOTS - 1) || typeof asn !== 'number' || !isPrivateAs(asn)) return undefined
  if (prefix === undefined || (name !== undefined && !(typeof name === 'string' && NAME.test(name)))) return undefined
  if (!Array.isArray(texts) || texts.length > MAX_ENDPOINTS) return undefined
  const endpoints = texts.map((text) => parseEndpoint(String(text)))
  if (!endpoints.every((endpoint) => endpoint !== undefined)) return undefined
  return {
    kind,
    from,
    ...(to !== undefined && { to }),
    link,
    expiresAt,
    wireguardKey,
    endpoints,
    asn,
    prefix,
    slot,
    ...(name !== undefined && { name }),
  }
}

/** The last second that a Date knows. */
const MAX_SECONDS = 8_640_000_000_000

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update('beam anonet text\0').update(bytes).digest().subarray(0, CHECKSUM_BYTES)
}

function bad(message: string, hint: string): ConfigError {
  return new ConfigError(message, { code: 'BEAM_ERR_INVITE', hint })
}
