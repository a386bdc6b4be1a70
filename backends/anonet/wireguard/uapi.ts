/** WireGuard's control protocol in user space (https://www.wireguard.com/xplatform/), without I/O. Keys are hexadecimal here. */
import { ProtocolError } from '../../../core/index.ts'

/** What one interface is set to and has done. Private keys are never kept. */
export interface WireGuardState {
  readonly listenPort?: number
  readonly peers: readonly WireGuardPeer[]
}

/** One far end. */
export interface WireGuardPeer {
  /** 64 hexadecimal digits. */
  readonly publicKey: string
  readonly endpoint?: string
  /** Seconds since the epoch; absent before the first. */
  readonly lastHandshake?: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** What an interface is to be. */
export interface WireGuardLink {
  /** 64 hexadecimal digits. */
  readonly privateKey: string
  readonly listenPort: number
  readonly peer: string
  readonly endpoint?: string | undefined
  readonly keepaliveSeconds: number
}

/** Peers of one interface that are read: a kernel interface of a busy server has hundreds. */
const MAX_PEERS = 4_096

/** The request for the state. */
export const GET = 'get=1\n\n'

/** A request that makes the interface this link and nothing else. One peer for each interface: routing is BGP's, filtering BIRD's. */
export function setRequest({ privateKey, listenPort, peer, endpoint, keepaliveSeconds }: WireGuardLink): string {
  const lines = [
    'set=1',
    `private_key=${privateKey}`,
    `listen_port=${listenPort}`,
    'replace_peers=true',
    `public_key=${peer}`,
    ...(endpoint === undefined ? [] : [`endpoint=${endpoint}`]),
    `persistent_keepalive_interval=${keepaliveSeconds}`,
    'replace_allowed_ips=true',
    'allowed_ip=0.0.0.0/0',
    'allowed_ip=::/0',
  ]
  return `${lines.join('\n')}\n\n`
}

/** A request that moves the far end to another place. */
export function endpointRequest(peer: string, endpoint: string): string {
  return `set=1\npublic_key=${peer}\nupdate_only=true\nendpoint=${endpoint}\n\n`
}

/** The number of the error at the end of an answer; 0 = none. @throws ProtocolError when there is none, so when it is no answer */
export function readErrno(answer: string): number {
  const number = /(?:^|\n)errno=(-?\d{1,6})\n/.exec(answer)?.[1]
  if (number === undefined) throw new ProtocolError('What answers there is not WireGuard.', { code: 'BEAM_ERR_BACKEND_UNAVAILABLE' })
  return Number(number)
}

/** The state in the answer to {@link GET}. @throws ProtocolError when it is no such answer */
export function readState(answer: string): WireGuardState {
  readErrno(answer)
  const peers: Array<{ -readonly [key in keyof WireGuardPeer]: WireGuardPeer[key] }> = []
  let listenPort: number | undefined
  for (const line of answer.split('\n')) {
    const split = line.indexOf('=')
    if (split < 0) continue
    const [key, value] = [line.slice(0, split), line.slice(split + 1)]
    const peer = peers.at(-1)
    if (key === 'listen_port') listenPort = whole(value, 65_535)
    else if (key === 'public_key') peers.push({ publicKey: hexKey(value), receivedBytes: 0, sentBytes: 0 })
    else if (peer === undefined) continue
    else if (key === 'endpoint') peer.endpoint = value.slice(0, 64)
    else if (key === 'rx_bytes') peer.receivedBytes = whole(value)
    else if (key === 'tx_bytes') peer.sentBytes = whole(value)
    else if (key === 'last_handshake_time_sec' && whole(value) > 0) peer.lastHandshake = whole(value)
    if (peers.length > MAX_PEERS) throw new ProtocolError(`The interface has more than ${MAX_PEERS} peers.`)
  }
  return { ...(listenPort !== undefined && { listenPort }), peers }
}

function whole(text: string, most = Number.MAX_SAFE_INTEGER): number {
  const number = Number(text)
  if (!/^\d{1,20}$/.test(text) || number > most) throw new ProtocolError('A number of WireGuard is none.')
  return number
}

function hexKey(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new ProtocolError('A public key of WireGuard is none.')
  return text.toLowerCase()
}
