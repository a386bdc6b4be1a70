import { crc32, fromI2pBase64, sha256, toBase32 } from './base64.ts'
import { CERTIFICATE_AT, CERTIFICATE_LENGTH_AT, ED25519, RED25519 } from './constants.ts'

/** Where the 32 bytes of an Ed25519 or Red25519 key stand in a destination: at the end of the 128 that signing keys have. */
const KEY_AT = 352
/** Kind of certificate that names the types of the keys. */
const KEY_CERTIFICATE = 5
/** A destination with the longest keys that exist; a certificate could say 64 KiB. */
const MAX_DESTINATION_BYTES = 2_048

/**
 * The public part at the beginning of a destination or a private key file: 387 bytes and the payload of the certificate. Undefined when
 * that is not there.
 */
export function destinationIn(bytes: Buffer): Buffer | undefined {
  if (bytes.length < CERTIFICATE_AT) return undefined
  const length = CERTIFICATE_AT + bytes.readUInt16BE(CERTIFICATE_LENGTH_AT)
  return length <= bytes.length && length <= MAX_DESTINATION_BYTES ? bytes.subarray(0, length) : undefined
}

/** The destination that a text in base64 says, and nothing besides it. */
export function parseDestination(text: string): Buffer | undefined {
  const bytes = fromI2pBase64(text)
  if (bytes === undefined) return undefined
  const destination = destinationIn(bytes)
  return destination?.length === bytes.length ? destination : undefined
}

/** The type of the signing key; 0 (DSA) without a key certificate. */
export function signatureTypeOf(destination: Buffer): number {
  const typed = destination[CERTIFICATE_LENGTH_AT - 1] === KEY_CERTIFICATE && destination.length >= CERTIFICATE_AT + 4
  return typed ? destination.readUInt16BE(CERTIFICATE_AT) : 0
}

/** The address that everybody can look up: `<hash>.b32.i2p`. */
export function b32Of(destination: Buffer): string {
  return `${toBase32(sha256(destination))}.b32.i2p`
}

/**
 * The address of an encrypted lease set (“b33”): the key itself instead of its hash, since the lease set lies under a blinded one.
 * Undefined when the type of key cannot be blinded. No router says this address.
 *
 * @param clients - whether visitors need a key of their own
 */
export function b33Of(destination: Buffer, { clients }: { readonly clients: boolean }): string | undefined {
  const type = signatureTypeOf(destination)
  if (type !== ED25519 && type !== RED25519) return undefined
  const key = destination.subarray(KEY_AT, KEY_AT + 32)
  const head = Buffer.from([clients ? 4 : 0, type, RED25519])
  const sum = crc32(key)
  for (let index = 0; index < 3; index++) head[index] = (head[index] ?? 0) ^ ((sum >>> (8 * index)) & 255)
  return `${toBase32(Buffer.concat([head, key]))}.b32.i2p`
}
