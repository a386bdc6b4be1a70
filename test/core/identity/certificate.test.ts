import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  CleanupStack,
  generateIdentity,
  identityFromSeed,
  rawPublicKey,
  selfSignedCertificate,
  type Identity,
} from '../../../core/index.ts'

let cleanup = new CleanupStack()
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]()
  cleanup = new CleanupStack()
})

/** The key of the far end, read the way links read it. */
function peerKey(socket: tls.TLSSocket): Buffer | undefined {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : rawPublicKey(certificate.publicKey)
}

async function handshake(
  server: Identity,
  client: Identity,
): Promise<{ seenByServer: Buffer | undefined; seenByClient: Buffer | undefined }> {
  const listener = tls.createServer({
    ...selfSignedCertificate(server),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  })
  cleanup.defer(() => new Promise((resolve) => listener.close(resolve)))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'secureConnection') as Promise<[tls.TLSSocket]>
  const socket = tls.connect({
    ...selfSignedCertificate(client),
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  })
  cleanup.defer(() => socket.destroy())
  await once(socket, 'secureConnect')
  const [far] = await accepted
  cleanup.defer(() => far.destroy())
  expect(socket.getProtocol()).toBe('TLSv1.3')
  return { seenByServer: peerKey(far), seenByClient: peerKey(socket) }
}

describe('selfSignedCertificate', () => {
  it('lets both ends of a TLS 1.3 handshake read the other’s key', async () => {
    const [server, client] = [generateIdentity(), generateIdentity()]
    const seen = await handshake(server, client)
    expect(seen.seenByServer).toEqual(client.publicKey)
    expect(seen.seenByClient).toEqual(server.publicKey)
  })

  it('does not complete a handshake with somebody else’s private key', async () => {
    const [owner, thief] = [generateIdentity(), generateIdentity()]
    expect(() => tls.createSecureContext({ cert: selfSignedCertificate(owner).cert, key: selfSignedCertificate(thief).key })).toThrow()
  })

  it('is a valid certificate, signed by its own key, for every key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const identity = identityFromSeed(seed)
        const certificate = new X509Certificate(selfSignedCertificate(identity).cert)
        expect(certificate.verify(certificate.publicKey)).toBe(true)
        expect(rawPublicKey(certificate.publicKey)).toEqual(identity.publicKey)
        expect(certificate.raw.length).toBeLessThan(256)
      }),
      { numRuns: 50 },
    )
  })

  it('differs between two keys in the key and the signature only, and never for one key', () => {
    const [a, b] = [generateIdentity(), generateIdentity()]
    expect(selfSignedCertificate(a)).toEqual(selfSignedCertificate(a))
    const masked = [a, b].map((identity) => {
      const { raw } = new X509Certificate(selfSignedCertificate(identity).cert)
      const keyAt = raw.indexOf(identity.publicKey)
      expect(keyAt).toBeGreaterThan(0)
      return Buffer.from(raw)
        .fill(0, keyAt, keyAt + 32)
        .subarray(0, -64)
        .toString('hex')
    })
    expect(masked[0]).toBe(masked[1])
  })
})
