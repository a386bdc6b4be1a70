/** Which nodes to link to and which link to give up: pure decisions over what is known of peers and candidates. */
import type { Candidate, CandidateSource } from './candidates.ts'
import { distanceMs, type Coordinate } from './coordinate.ts'

/** A peer as the choice sees it. */
export interface LinkedPeer {
  readonly id: string
  readonly direction: 'in' | 'out'
  readonly prefix?: string
  readonly source?: CandidateSource
  readonly coordinate?: Coordinate
  readonly latencyMs?: number
  /** 0 to 1. */
  readonly trust: number
  /** How long the link stands, in milliseconds. */
  readonly ageMs: number
  /** Carries streams now: never given up. */
  readonly busy: boolean
}

/** A candidate with what decides about it. */
export interface RatedCandidate {
  readonly candidate: Candidate
  readonly prefix?: string
  readonly trust: number
}

/** Links of one address prefix: whoever holds a network can fill two places, not all. */
const MAX_PER_PREFIX = 2
/** No source of addresses is believed for more than half of the links that this node makes itself. */
const MAX_SHARE_OF_SOURCE = 0.5
/** Latency that counts as far; what lies beyond is no worse. */
const FAR_MS = 400

/** Whether another link to this prefix may stand. */
export function hasRoom(peers: readonly LinkedPeer[], prefix: string | undefined): boolean {
  return prefix === undefined || peers.filter((peer) => peer.prefix === prefix).length < MAX_PER_PREFIX
}

/** The candidates to dial next, the best first: trusted, of prefixes and sources that are not there yet, near and far in turns, or the nearest. */
export function choose(
  candidates: readonly RatedCandidate[],
  peers: readonly LinkedPeer[],
  options: { readonly count: number; readonly own: Coordinate; readonly random: () => number; readonly near?: boolean },
): Candidate[] {
  const { count, own, random } = options
  const linked = new Set(peers.map(({ id }) => id))
  const chosen = new Set<RatedCandidate>()
  const perSource = countBy(peers.filter(({ direction }) => direction === 'out').map(({ source }) => source ?? 'inbound'))
  const prefixes = countBy(peers.flatMap(({ prefix }) => (prefix === undefined ? [] : [prefix])))
  const outbound = peers.filter(({ direction }) => direction === 'out').length
  // Random first, so that equals are not always tried in the order in which somebody told of them.
  const rated = candidates
    .filter(({ candidate }) => !linked.has(candidate.id))
    .map((one) => ({ one, value: one.trust + 0.2 * random() }))
    .sort((a, b) => b.value - a.value)
    .map(({ one }) => one)
  const near = [...rated].sort((a, b) => away(a, own) - away(b, own))
  const share = Math.max(2, Math.ceil((outbound + count) * MAX_SHARE_OF_SOURCE))
  // Half of them near, for speed; half as they come, so that the network does not fall into islands.
  const inTurns = options.near === true ? near : [...interleaved(rated, near)]
  for (const keepsShare of [true, false]) {
    // A source is believed for more only where the others have nobody left.
    for (const next of inTurns) {
      if (chosen.size >= count) break
      const { prefix, candidate } = next
      if (chosen.has(next) || (prefix !== undefined && (prefixes.get(prefix) ?? 0) >= MAX_PER_PREFIX)) continue
      if (keepsShare && (perSource.get(candidate.source) ?? 0) >= share) continue
      chosen.add(next)
      add(perSource, candidate.source)
      if (prefix !== undefined) add(prefixes, prefix)
    }
  }
  return [...chosen].map(({ candidate }) => candidate)
}

/**
 * The peer to give up for a better one: the least valuable of those that are not in use and are older than the newcomer's protection.
 * Peers of a prefix or source that nobody else has are worth more.
 */
export function worst(
  peers: readonly LinkedPeer[],
  options: { readonly own: Coordinate; readonly protectMs: number },
): LinkedPeer | undefined {
  const prefixes = countBy(peers.flatMap(({ prefix }) => (prefix === undefined ? [] : [prefix])))
  const value = (peer: LinkedPeer): number => {
    const latency = Math.min(FAR_MS, peer.latencyMs ?? (peer.coordinate === undefined ? FAR_MS : distanceMs(options.own, peer.coordinate)))
    const alone = peer.prefix === undefined || (prefixes.get(peer.prefix) ?? 0) < 2 ? 0.2 : 0
    return peer.trust + alone + 0.3 * (1 - latency / FAR_MS) + (peer.direction === 'out' ? 0.1 : 0)
  }
  return peers
    .filter(({ busy, ageMs }) => !busy && ageMs >= options.protectMs)
    .reduce<LinkedPeer | undefined>((least, peer) => (least === undefined || value(peer) < value(least) ? peer : least), undefined)
}

function away({ candidate }: RatedCandidate, own: Coordinate): number {
  return candidate.coordinate === undefined ? FAR_MS : distanceMs(own, candidate.coordinate)
}

function* interleaved<T>(first: readonly T[], second: readonly T[]): Generator<T> {
  for (const [index, one] of first.entries()) {
    yield one
    const other = second[index]
    if (other !== undefined) yield other
  }
}

function countBy<K>(keys: readonly K[]): Map<K, number> {
  const counts = new Map<K, number>()
  for (const key of keys) add(counts, key)
  return counts
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
