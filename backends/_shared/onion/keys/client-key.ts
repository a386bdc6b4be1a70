import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { ConfigError } from '../../../../core/index.ts'
import { ID_LENGTH } from '../address.ts'
import { decodeBase32, encodeBase32 } from '../base32.ts'

/** Bytes of an x25519 key (RFC 7748). */
const KEY_BYTES = 32
/** Before the 32 bytes of an x25519 private key in PKCS#8 (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** The x25519 pair by which an onion service knows a visitor (client authorization, rend-spec-v3 appendix G). */
export interface ClientKeyPair {
  /** Base32, as the publisher's side takes it. */
  readonly publicKey: string
  /** Base64, as the visitor's side takes it. Secret. */
  readonly privateKey: string
}

/** A new pair. */
export function generateClientKeyPair(): ClientKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    publicKey: encodeBase32(rawPublic(publicKey)),
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES).toString('base64'),
  }
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)
}

/**
 * The public key of a visitor in base32, from what people have: base32, base64, hexadecimal, or a line of a daemon's `.auth` file
 * (`descriptor:x25519:<base32>`).
 * @throws ConfigError
 */
export function parseClientPublicKey(text: unknown): string {
  const bytes = typeof text === 'string' ? keyBytes(text.trim().replace(/^descriptor:x25519:/, '')) : undefined
  if (bytes !== undefined) return encodeBase32(bytes)
  throw new ConfigError('This is no public key of a visitor.', {
    hint: 'It is an x25519 key of 32 bytes: 52 letters and digits (base32), or 43 to 44 characters of base64.',
  })
}

/**
 * The private key of a visitor in base64, from what people have: base32 (Tor Browser), base64, or a line of an `.auth_private` file
 * (`<address>:descriptor:x25519:<base32>`), whose address must then be `id`. The text is never part of an error.
 * @throws ConfigError
 */
export function parseClientPrivateKey(text: unknown, id: string): string {
  const [, owner, key] =
    (typeof text === 'string' && /^(?:([a-z2-7]{56})(?:\.[a-z]+)?:)?(?:descriptor:)?(?:x25519:)?(\S{1,100})$/i.exec(text.trim())) || []
  const bytes = key === undefined ? undefined : keyBytes(key)
  if (bytes === undefined) {
    throw new ConfigError('The client key cannot be used.', {
      hint: 'It is the private x25519 key that the publisher gave you: 52 letters and digits (base32), or 43 to 44 characters of base64.',
    })
  }
  if (owner !== undefined && owner.toLowerCase() !== id) {
    throw new ConfigError('The client key is for another address.', {
      hint: 'Compare the address with the one at the beginning of the key.',
    })
  }
  return bytes.toString('base64')
}

/** The public half of a private key in base64, in base32. */
export function publicOf(privateKey: string): string {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, Buffer.from(privateKey, 'base64')]), format: 'der', type: 'pkcs8' })
  return encodeBase32(rawPublic(createPublicKey(key)))
}

function keyBytes(text: string): Buffer | undefined {
  const bare = text.replace(/=+$/, '')
  const bytes =
    bare.length === 52
      ? decodeBase32(bare)
      : /^[0-9a-f]{64}$/i.test(bare)
        ? Buffer.from(bare, 'hex')
        : /^[A-Za-z0-9+/_-]{43}$/.test(bare)
          ? Buffer.from(bare, 'base64')
          : undefined
  // An address pasted by mistake decodes too, into more bytes than a key has.
  return bare.length !== ID_LENGTH && bytes?.length === KEY_BYTES ? bytes : undefined
}
