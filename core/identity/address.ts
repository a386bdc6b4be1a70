import { createHash } from 'node:crypto'
import { ConfigError } from '../errors.ts'
import { KEY_BYTES } from './identity.ts'

/** What a key is for: the kinds have different texts, so that one cannot be pasted for another. */
export type KeyKind = 'service' | 'visitor' | 'node'

/** Version of the text form: the first byte before encoding. */
const VERSION = 1
/** Bytes of the checksum: 16 bits catch all but 1 in 65,536 typing errors. */
const CHECKSUM_BYTES = 2
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** Length of the text of one key: 35 bytes in base32 (RFC 4648 section 6) are exactly 56 characters. */
export const KEY_TEXT_LENGTH = 56

function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(value >>> bits) & 31]
    }
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text
}

function unbase32(text: string): Buffer | undefined {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const char of text) {
    const index = ALPHABET.indexOf(char)
    if (index < 0) return undefined
    value = ((value << 5) | index) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((value >>> bits) & 0xff)
    }
  }
  return Buffer.from(bytes)
}

function checksum(kind: KeyKind, key: Uint8Array): Buffer {
  return createHash('sha256').update(`beam ${kind} key`).update(Uint8Array.of(VERSION)).update(key).digest().subarray(0, CHECKSUM_BYTES)
}

/** The text of a public key: lower-case base32 of version, key and checksum; 56 characters. */
export function encodeKey(kind: KeyKind, publicKey: Uint8Array): string {
  return base32(Buffer.concat([Uint8Array.of(VERSION), publicKey, checksum(kind, publicKey)]))
}

/** The public key of a text; undefined when the text is no key of this kind (wrong length, letter, version or checksum). */
export function decodeKey(kind: KeyKind, text: string): Buffer | undefined {
  if (text.length !== KEY_TEXT_LENGTH) return undefined
  const bytes = unbase32(text.toLowerCase())
  if (bytes === undefined || bytes[0] !== VERSION) return undefined
  const key = bytes.subarray(1, 1 + KEY_BYTES)
  return checksum(kind, key).equals(bytes.subarray(1 + KEY_BYTES)) ? key : undefined
}

/** A `beam://` address: the service key, and where to dial when that is known beforehand. */
export interface BeamAddress {
  readonly serviceKey: Buffer
  /** Dial here, with no discovery. */
  readonly direct?: { readonly host: string; readonly port: number }
}

/** The address of a service key: `beam://<56 characters>`, with `@host:port` when it is to be dialled directly. */
export function formatBeamAddress(serviceKey: Uint8Array, direct?: { host: string; port: number }): string {
  const at = direct === undefined ? '' : `@${direct.host.includes(':') ? `[${direct.host}]` : direct.host}:${direct.port}`
  return `beam://${encodeKey('service', serviceKey)}${at}`
}

/** Whether a text means to be a `beam://` address (it may still be malformed). */
export function looksLikeBeamAddress(text: string): boolean {
  return /^beam:\/\//i.test(text)
}

/**
 * Takes a `beam://` address apart.
 * @throws ConfigError (`BEAM_ERR_ADDRESS_INVALID`) saying what is wrong with it.
 */
export function parseBeamAddress(text: string): BeamAddress {
  const match = /^beam:\/\/([a-z0-9]+)(?:@(\[[0-9a-f:.%a-z]+\]|[a-z0-9._-]+):(\d{1,5}))?\/?$/i.exec(text.trim())
  if (match === null) {
    throw new ConfigError('This is no beam:// address.', {
      code: 'BEAM_ERR_ADDRESS_INVALID',
      hint: 'It looks like beam://<56 letters and digits>, optionally followed by @host:port.',
    })
  }
  const [, keyText = '', host, portText] = match
  const serviceKey = decodeKey('service', keyText)
  if (serviceKey === undefined) {
    throw new ConfigError(keyProblem(keyText), {
      code: 'BEAM_ERR_ADDRESS_INVALID',
      hint: 'Copy the whole address again from the publisher’s terminal.',
    })
  }
  if (host === undefined) return { serviceKey }
  const port = Number(portText)
  if (port < 1 || port > 65535) {
    throw new ConfigError(`The port ${port} in the address is not between 1 and 65535.`, { code: 'BEAM_ERR_PORT_INVALID' })
  }
  return { serviceKey, direct: { host: host.replace(/^\[|\]$/g, ''), port } }
}

function keyProblem(text: string): string {
  if (decodeKey('visitor', text) !== undefined) return 'This is a visitor key, not the address of a service.'
  if (text.length !== KEY_TEXT_LENGTH) return `The key in the address has ${text.length} characters instead of ${KEY_TEXT_LENGTH}.`
  return 'The key in the address has a typing error (its checksum does not fit).'
}
