/** What peers tell each other on request: who they are (`node/info`) and whom else they know (`node/peers`). Deterministic CBOR. */
import { isIP } from 'node:net'
import { ProtocolError } from '../../errors.ts'
import { KEY_BYTES } from '../../identity/identity.ts'
import { decodeCanonical, encodeCanonical } from '../../records/canonical.ts'

/** The small requests of the peer set. An answer to `node/info` is a heartbeat payload; `node/ping` is answered with nothing. */
export const PEER_TOPICS = { info: 'node/info', peers: 'node/peers', ping: 'node/ping' } as const

/** Nodes in one answer: enough to join by, and little enough that one liar cannot fill a table. */
export const MAX_EXCHANGED = 32

/** A node and where it was last reached. */
export interface ExchangedPeer {
  readonly key: Uint8Array
  readonly contact: { readonly host: string; readonly port: number }
}

export function encodePeers(peers: readonly ExchangedPeer[]): Uint8Array {
  return encodeCanonical(peers.slice(0, MAX_EXCHANGED).map(({ key, contact: { host, port } }) => [key, host, port]))
}

/** @throws ProtocolError */
export function decodePeers(bytes: Uint8Array): ExchangedPeer[] {
  let value: unknown
  try {
    value = decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('No deterministic CBOR.', { cause })
  }
  if (!Array.isArray(value) || value.length > MAX_EXCHANGED) throw invalid()
  return value.map((entry: unknown) => {
    const [key, host, port, ...rest] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES || rest.length > 0) throw invalid()
    if (typeof host !== 'string' || isIP(host) === 0 || !Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
      throw invalid()
    return { key: Buffer.from(key), contact: { host, port: port as number } }
  })
}

function invalid(): ProtocolError {
  return new ProtocolError('Not a list of peers.', { code: 'BEAM_ERR_LINK_PROTOCOL' })
}
