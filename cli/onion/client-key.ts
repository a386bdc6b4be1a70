import { generateKeyPairSync } from 'node:crypto'

/** Bytes of an x25519 key (RFC 7748). They stand at the end of its DER forms (RFC 8410). */
const KEY_BYTES = 32
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** The pair by which an onion service knows a visitor, in base32 as Tor Browser and the daemons write it. */
export interface ClientKeyPair {
  readonly publicKey: string
  /** Secret: for the visitor alone. */
  readonly privateKey: string
}

/** A new pair. */
export function newClientKeyPair(): ClientKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    publicKey: base32(publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)),
    privateKey: base32(privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES)),
  }
}

/** Without padding (RFC 4648 section 6). */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}
