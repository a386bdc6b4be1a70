import { randomBytes } from 'node:crypto'
import { toI2pBase64 } from '../../../backends/i2p/base64.ts'

/** A destination of the usual form: 256 + 128 bytes of keys and a certificate for Ed25519 (7) with ElGamal (0). */
export function randomDestination(signatureType = 7): Buffer {
  const certificate = Buffer.from([5, 0, 4, 0, signatureType, 0, 0])
  return Buffer.concat([randomBytes(384), certificate])
}

/** A private key blob as SAM and key files have it: destination, 256 bytes, 32 bytes. */
export function randomPrivateKey(destination = randomDestination()): Buffer {
  return Buffer.concat([destination, randomBytes(256 + 32)])
}

/** The answer of `DEST GENERATE`. */
export function destReply(blob = randomPrivateKey()): string {
  return `DEST REPLY PUB=${toI2pBase64(blob.subarray(0, 391))} PRIV=${toI2pBase64(blob)}`
}
