import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { onionId } from '../address.ts'
import type { Flavour } from '../flavour.ts'

/** Bytes of an Ed25519 seed and of a public key. */
const SEED_BYTES = 32

/** The key of an onion service, and the address that follows from it. */
export interface OnionKey {
  /** The 56 characters of the address. */
  readonly id: string
  readonly privateKey: KeyObject
}

/** A key from the system's generator. The address is known with it, before any daemon runs. */
export function generateOnionKey(flavour: Pick<Flavour, 'suffix'>): OnionKey {
  return onionKeyOf(generateKeyPairSync('ed25519').privateKey, flavour)
}

/** The key with its address. */
export function onionKeyOf(privateKey: KeyObject, flavour: Pick<Flavour, 'suffix'>): OnionKey {
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-SEED_BYTES)
  return { id: onionId(publicKey, flavour), privateKey }
}

/** The private key of a PEM text (RFC 7468, PKCS#8); undefined when it holds no Ed25519 key. */
export function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyType === 'ed25519' ? key : undefined
  } catch {
    // What OpenSSL says of a broken key is no help, and nothing of the content belongs into an error.
    return undefined
  }
}

/** The form in which daemons take it, `ED25519-V3:<base64>`: the seed hashed and clamped (RFC 8032 section 5.1.5). Secret. */
export function expandedKey({ privateKey }: OnionKey): string {
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-SEED_BYTES)
  const hash = createHash('sha512').update(seed).digest()
  hash[0] = (hash[0] ?? 0) & 0b1111_1000
  hash[31] = ((hash[31] ?? 0) & 0b0011_1111) | 0b0100_0000
  return `ED25519-V3:${hash.toString('base64')}`
}
