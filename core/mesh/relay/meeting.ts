/** The two small requests by which a heavy stream gets connections of its own through relays: deterministic CBOR. */
import { ProtocolError } from '../../errors.ts'
import { SIDE_TOKEN_BYTES, TLS_HANDSHAKE_TYPE } from '../../link/constants.ts'
import { decodeCanonical, encodeCanonical } from '../../records/canonical.ts'

/** Asked of a relay by whoever is carried: a way on to a peer or service, and a token with which it is entered. */
export const SPLICE_TOPIC = 'relay/splice'
/** Asked by a relay of the next node: a connection of their own, for one who wants to a service (or node) there. */
export const MEET_TOPIC = 'relay/meet'

/** Text of a key: 56 characters. */
const MAX_AUTHORITY_LENGTH = 64

/** What a relay asks of the next node. */
export interface Meeting {
  /** What the connection starts with. */
  readonly token: Buffer
  /** The service, or node, that it is for. */
  readonly authority: string
  /** Who dials: the one that dialled the link between the two, since the other way there may be a NAT. */
  readonly dialler: 'relay' | 'node'
}

export function encodeSplice(authority: string): Uint8Array {
  return encodeCanonical([authority])
}

/** @throws ProtocolError */
export function decodeSplice(bytes: Uint8Array): string {
  return authorityOf(listOf(bytes, 1)[0])
}

export function encodeToken(token: Uint8Array): Uint8Array {
  return encodeCanonical([token])
}

/** @throws ProtocolError */
export function decodeToken(bytes: Uint8Array): Buffer {
  return tokenOf(listOf(bytes, 1)[0])
}

export function encodeMeeting({ token, authority, dialler }: Meeting): Uint8Array {
  return encodeCanonical([token, authority, dialler === 'node' ? 1 : 0])
}

/** @throws ProtocolError */
export function decodeMeeting(bytes: Uint8Array): Meeting {
  const [token, authority, nodeDials] = listOf(bytes, 3)
  if (nodeDials !== 0 && nodeDials !== 1) throw invalid()
  return { token: tokenOf(token), authority: authorityOf(authority), dialler: nodeDials === 1 ? 'node' : 'relay' }
}

function listOf(bytes: Uint8Array, length: number): readonly unknown[] {
  let value: unknown
  try {
    value = decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('No deterministic CBOR.', { cause })
  }
  if (!Array.isArray(value) || value.length !== length) throw invalid()
  return value as readonly unknown[]
}

function tokenOf(value: unknown): Buffer {
  if (!(value instanceof Uint8Array) || value.length !== SIDE_TOKEN_BYTES || value[0] === TLS_HANDSHAKE_TYPE) throw invalid()
  return Buffer.from(value)
}

function authorityOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_AUTHORITY_LENGTH) throw invalid()
  return value
}

function invalid(): ProtocolError {
  return new ProtocolError('Not what a connection through a relay is asked for with.')
}
