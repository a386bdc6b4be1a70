import type { HeartbeatPayload } from '../gossip/payloads.ts'
import type { Peer } from '../node/peer.ts'
import type { Candidates } from './candidates.ts'
import type { LinkedPeer } from './choose.ts'
import type { Coordinate } from './coordinate.ts'
import { prefixOf } from './prefix.ts'

/** What is known of a linked peer besides its link. */
export interface Known {
  info: HeartbeatPayload | undefined
  coordinate: Coordinate | undefined
  askedAt: number
  asking: boolean
}

/** A linked peer as the choice sees it. */
export function linkedPeer(peer: Peer, known: Known | undefined, candidates: Candidates, now: number): LinkedPeer {
  const prefix = prefixOfPeer(peer)
  const source = candidates.get(peer.id)?.source
  return {
    id: peer.id,
    direction: peer.direction,
    trust: candidates.trustIn(peer.id),
    ageMs: now - peer.since,
    // The stream in which the link was turned round is always open.
    busy: peer.openStreams > 1,
    ...(prefix === undefined ? {} : { prefix }),
    ...(source === undefined ? {} : { source }),
    ...(known?.coordinate === undefined ? {} : { coordinate: known.coordinate }),
    ...(peer.latencyMs === undefined ? {} : { latencyMs: peer.latencyMs }),
  }
}

/** The address that a peer was seen under, without its port. */
export function hostOf({ remoteAddress }: Peer): string | undefined {
  const match = /^(?:\[(.+)\]|([^:]+)):\d+$/.exec(remoteAddress ?? '')
  return (match?.[1] ?? match?.[2])?.replace(/^::ffff:/i, '')
}

/** The network that it belongs to. */
export function prefixOfPeer(peer: Peer): string | undefined {
  const host = hostOf(peer)
  return host === undefined ? undefined : prefixOf(host)
}
