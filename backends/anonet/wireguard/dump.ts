/** `wg show INTERFACE dump` (wg(8)): how kernel interfaces tell their state, which have no control socket. Read without I/O. */
import { ProtocolError } from '../../../core/index.ts'
import type { WireGuardPeer, WireGuardState } from './uapi.ts'

/** The state in a dump: the first line is the interface (its first column is the private key, which is not kept), the others are peers. */
export function readDump(dump: string): WireGuardState {
  const [first = '', ...rest] = dump.split('\n').filter((line) => line !== '')
  const own = first.split('\t')
  if (own.length !== 4) throw new ProtocolError('That is not how wg shows an interface.')
  const listenPort = Number(own[2])
  if (!Number.isInteger(listenPort) || listenPort < 0 || listenPort > 65_535) throw new ProtocolError('A port of WireGuard is none.')
  return { listenPort, peers: rest.map(readPeer) }
}

function readPeer(line: string): WireGuardPeer {
  const [key = '', , endpoint = '', , handshake, received, sent] = line.split('\t')
  const publicKey = Buffer.from(key, 'base64')
  const numbers = [handshake, received, sent].map(Number)
  if (publicKey.length !== 32 || !numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) {
    throw new ProtocolError('That is not how wg shows a peer.')
  }
  const [lastHandshake = 0, receivedBytes = 0, sentBytes = 0] = numbers
  return {
    publicKey: publicKey.toString('hex'),
    ...(endpoint !== '(none)' && { endpoint: endpoint.slice(0, 64) }),
    ...(lastHandshake > 0 && { lastHandshake }),
    receivedBytes,
    sentBytes,
  }
}
