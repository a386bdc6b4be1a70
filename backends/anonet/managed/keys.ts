import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'

/** A WireGuard key pair (X25519), raw. */
export interface LinkKeys {
  readonly privateKey: Buffer
  readonly publicKey: Buffer
}

/** DER prefix of an X25519 private key (RFC 8410 section 7): what stands before the 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** A new random pair. */
export function newLinkKeys(): LinkKeys {
  const { privateKey } = generateKeyPairSync('x25519')
  return linkKeysOf(privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_PREFIX.length))
}

/** The pair of a private key of 32 bytes. */
export function linkKeysOf(raw: Uint8Array): LinkKeys {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { privateKey: Buffer.from(raw), publicKey: Buffer.from(x, 'base64url') }
}
