import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'

/** Length of an Ed25519 public key, and of the seed of a private one, in bytes (RFC 8032 section 5.1.5). */
export const KEY_BYTES = 32

/** DER prefixes of Ed25519 keys (RFC 8410 section 7 and 4): what stands before the 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** An Ed25519 key pair: a service key, a node key or a visitor key (three different things; one is never used as another). */
export interface Identity {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** For TLS and signatures; it never leaves the process. */
  readonly privateKey: KeyObject
}

/** A new random key pair. */
export function generateIdentity(): Identity {
  return fromPrivateKey(generateKeyPairSync('ed25519').privateKey)
}

/** The key pair of a 32-byte seed (the private key of RFC 8032). */
export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== KEY_BYTES) throw new RangeError(`an Ed25519 seed has ${KEY_BYTES} bytes`)
  return fromPrivateKey(createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' }))
}

/** The 32-byte seed of a key pair: private material, for key storage and libraries that need raw keys only. */
export function seedOf(identity: Identity): Buffer {
  return Buffer.from(identity.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_PREFIX.length))
}

/** Signs with Ed25519; 64 bytes. */
export function signWith(identity: Identity, data: Uint8Array): Buffer {
  return sign(null, data, identity.privateKey)
}

/** Whether the signature of `data` is by the holder of `publicKey`. Never throws: what is no key or no signature is no match. */
export function verifySignature(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_BYTES) return false
  try {
    return verify(null, data, publicKeyObject(publicKey), signature)
  } catch {
    return false
  }
}

/** A raw 32-byte public key as DER (SubjectPublicKeyInfo). */
export function publicKeyDer(publicKey: Uint8Array): Buffer {
  return Buffer.concat([SPKI_PREFIX, publicKey])
}

/** A raw 32-byte public key as Node's key object. */
export function publicKeyObject(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: publicKeyDer(publicKey), format: 'der', type: 'spki' })
}

/** The 32 bytes of an Ed25519 key object; undefined when it is a key of another kind. */
export function rawPublicKey(key: KeyObject): Buffer | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return undefined
  return Buffer.from(key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length))
}

/** The key pair of a private key object; undefined when it is no Ed25519 key. */
export function identityFromPrivateKey(privateKey: KeyObject): Identity | undefined {
  if (privateKey.asymmetricKeyType !== 'ed25519') return undefined
  const publicKey = rawPublicKey(createPublicKey(privateKey))
  return publicKey === undefined ? undefined : { publicKey, privateKey }
}

function fromPrivateKey(privateKey: KeyObject): Identity {
  const identity = identityFromPrivateKey(privateKey)
  if (identity === undefined) throw new TypeError('not an Ed25519 key')
  return identity
}
