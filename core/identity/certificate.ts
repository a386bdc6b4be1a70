import { publicKeyDer, signWith, type Identity } from './identity.ts'

/** What TLS needs to prove that this process holds a key. */
export interface TlsCredentials {
  /** The certificate as PEM. */
  readonly cert: string
  /** The private key as PEM (PKCS #8), the only form that Node's TLS takes. Private material: for `tls` options only. */
  readonly key: string
}

/** Tags of DER (X.690 section 8), as far as a certificate needs them. */
const INTEGER = 0x02
const BIT_STRING = 0x03
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const SEQUENCE = 0x30
const SET = 0x31
/** `[0] EXPLICIT`, around the version (RFC 5280 section 4.1). */
const CONTEXT_0 = 0xa0

/** 1.3.101.112, id-Ed25519 (RFC 8410 section 3), and 2.5.4.3, id-at-commonName (RFC 5280 appendix A), both with tag and length. */
const OID_ED25519 = Buffer.from('06032b6570', 'hex')
const OID_COMMON_NAME = Buffer.from('0603550403', 'hex')

const ALGORITHM = der(SEQUENCE, OID_ED25519)
/** The same in every certificate of everybody, like all else but the key: the certificate tells nothing of the machine or the time. */
const NAME = der(SEQUENCE, der(SET, der(SEQUENCE, OID_COMMON_NAME, der(UTF8_STRING, Buffer.from('beam')))))
/** From the epoch to "no well-defined expiration date" (RFC 5280 section 4.1.2.5): who a peer is, is decided by its key alone. */
const VALIDITY = der(SEQUENCE, der(UTC_TIME, Buffer.from('700101000000Z')), der(GENERALIZED_TIME, Buffer.from('99991231235959Z')))
const VERSION_3 = der(CONTEXT_0, der(INTEGER, Uint8Array.of(2)))
/** Nobody looks certificates up by serial number, so one is enough. */
const SERIAL = der(INTEGER, Uint8Array.of(1))

/**
 * A self-signed X.509 v3 certificate (RFC 5280, RFC 8410) for an Ed25519 key, with its private key: what links show each other.
 * Deterministic: the same key gives the same bytes. Nobody should trust it for anything but the public key in it, which a peer reads
 * with `getPeerX509Certificate()` and compares with the key it expects.
 */
export function selfSignedCertificate(identity: Identity): TlsCredentials {
  const toBeSigned = der(SEQUENCE, VERSION_3, SERIAL, ALGORITHM, NAME, VALIDITY, NAME, publicKeyDer(identity.publicKey))
  const signature = der(BIT_STRING, Uint8Array.of(0), signWith(identity, toBeSigned))
  return {
    cert: pem('CERTIFICATE', der(SEQUENCE, toBeSigned, ALGORITHM, signature)),
    key: String(identity.privateKey.export({ format: 'pem', type: 'pkcs8' })),
  }
}

/** One value of DER: tag, length, content. Contents here stay below 256 bytes, so a length takes at most two bytes. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length > 0xff) throw new RangeError('longer than this encoder needs to write')
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length]
  return Buffer.concat([Uint8Array.of(tag, ...length), body])
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
