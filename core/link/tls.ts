import { constants } from 'node:crypto'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { ProtocolError, UnreachableError } from '../errors.ts'
import { selfSignedCertificate } from '../identity/certificate.ts'
import { rawPublicKey, type Identity } from '../identity/identity.ts'

/**
 * What both ends of a link use: TLS 1.3 only, a self-signed certificate with the key, and no tickets. A resumed session would not show
 * the far end's certificate again, and who is there must be proved on every connection (Node answers with the old key, or with none).
 */
export function tlsContextOptions(identity: Identity): SecureContextOptions {
  return {
    ...selfSignedCertificate(identity),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // AES-128-GCM first: the fastest where the processor has AES, which is nearly everywhere.
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/**
 * The key that the far end proved to hold. To be called once, when the handshake is complete: later Node forgets it.
 * @throws ProtocolError when there is no Ed25519 key: who that is cannot be known.
 */
export function provenKey(socket: TLSSocket): Buffer {
  const certificate = socket.getPeerX509Certificate()
  const key = certificate === undefined ? undefined : rawPublicKey(certificate.publicKey)
  if (key === undefined) throw new ProtocolError('The far end showed no Ed25519 key.')
  return key
}

/**
 * Checks that the far end holds the expected key.
 * @throws UnreachableError (`BEAM_ERR_KEY_MISMATCH`)
 */
export function requireKey(proven: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(proven, expected) === 0) return
  throw new UnreachableError('Somebody else answers at that place: the far end holds another key than the address says.', {
    code: 'BEAM_ERR_KEY_MISMATCH',
    retry: 'never',
    hint: 'Check host and port. No byte of the tunnel was sent there.',
  })
}
