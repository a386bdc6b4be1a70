import { ProtocolError } from '../../core/index.ts'
import { b32Of, parseDestination } from './destination.ts'
import { sha256, toI2pBase64 } from './base64.ts'

/** Who a forwarded stream comes from. */
export interface Peer {
  /** `….b32.i2p` */
  readonly b32: string
  /** The hash of the destination, in base64. */
  readonly hash: string
  /** The whole destination, in base64. */
  readonly base64: string
}

/**
 * Reads the first line of a forwarded stream: the visitor's destination, and from SAM 3.2 on ` FROM_PORT=… TO_PORT=…`.
 * @throws ProtocolError
 */
export function parseForwardLine(line: string): Peer {
  const [base64 = ''] = line.replace(/\r$/, '').split(' ', 1)
  const destination = parseDestination(base64)
  if (destination === undefined) throw new ProtocolError('The stream does not begin with a destination.')
  return { b32: b32Of(destination), hash: toI2pBase64(sha256(destination)), base64 }
}

/** What I2P tells HTTP servers of a visitor (https://geti2p.net/en/docs/api/i2ptunnel). */
export function headersOf({ b32, hash, base64 }: Peer): Readonly<Record<string, string>> {
  return { 'x-i2p-destb32': b32, 'x-i2p-desthash': hash, 'x-i2p-destb64': base64 }
}
