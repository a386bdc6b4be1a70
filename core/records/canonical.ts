import { decode, encode, rfc8949EncodeOptions } from 'cborg'

/** Definite lengths, shortest integers, no duplicate keys, no tags, plain numbers only. */
const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const

/** Deterministic CBOR (RFC 8949 section 4.2.1): one value has one encoding. */
export function encodeCanonical(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

/**
 * The value of deterministic CBOR. What decodes but is not the one encoding of its value (unsorted keys, broken UTF-8, a float for an
 * integer) is refused too. The caller bounds the size beforehand: depth and memory are bounded by it.
 * @throws Error of any class; the caller translates.
 */
export function decodeCanonical(bytes: Uint8Array): unknown {
  const value: unknown = decode(bytes, STRICT)
  if (Buffer.compare(encodeCanonical(value), bytes) !== 0) throw new Error('not the deterministic encoding of its value')
  return value
}
