import { within } from '../../tunnels/within.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../logger.ts'
import { sensitive } from '../../sensitive.ts'
import { decodeHeartbeat, encodeHeartbeat, type HeartbeatPayload } from '../gossip/payloads.ts'
import { sample } from '../gossip/sample.ts'
import type { MeshNode } from '../node/mesh-node.ts'
import type { Peer } from '../node/peer.ts'
import type { Candidate, Candidates } from './candidates.ts'
import { choose, hasRoom, worst, type LinkedPeer } from './choose.ts'
import { fromNumbers, moved, toNumbers, UNKNOWN, type Coordinate } from './coordinate.ts'
import { decodePeers, encodePeers, MAX_EXCHANGED, PEER_TOPICS } from './exchange.ts'
import { hostOf, linkedPeer, prefixOfPeer, type Known } from './linked-peer.ts'
import { prefixOf } from './prefix.ts'

/** How often the set is looked after. Links that carry streams are asked at every step, others every half a minute. */
const STEP_MS = 1_000
const IDLE_ASK_MS = 30_000
/** Silence after which a link that carries streams is dead; or four of its round trips, where those are longer. */
const SILENT_MS = 1_000
const SILENT_ROUND_TRIPS = 4
/** An idle link may be slow to answer: its machine may be busy. */
const IDLE_SILENT_MS = 10_000
/** How often a better peer is looked for when there are enough, and how long a new one is left in peace. */
const IMPROVE_MS = 30_000
const PROTECT_MS = 120_000
/** A link that ended this soon was refused. */
const YOUNG_MS = 5_000
/** How often peers are asked for others while there are too few. */
const EXCHANGE_MS = 2_000
/** Dials at a time: joining is quick with a few, and a router's table of connections is small. */
const DIALS = 8
const DIAL_LIMIT_MS = 10_000

/** How large the set is to be. */
export interface PeerGoal {
  /** Links that are looked for. */
  readonly min: number
  /** Links that there may be, half of them dialled by others. */
  readonly max: number
}

/** What the set needs. */
export interface PeerSetOptions {
  readonly node: MeshNode
  readonly clock: Clock
  readonly logger: Logger
  readonly goal: PeerGoal
  readonly candidates: Candidates
  /** What this node says of itself, apart from its coordinate and links. */
  readonly self: () => Pick<HeartbeatPayload, 'participation' | 'contacts'>
  readonly random?: () => number
}

/** Keeps a good set of peers: enough, diverse, alive; asks them how they are, and replaces the worst by better ones. */
export class PeerSet implements Disposable {
  readonly #options: PeerSetOptions
  readonly #known = new Map<string, Known>()
  readonly #undo: Array<() => void>
  readonly #random: () => number
  #own: Coordinate = UNKNOWN
  #dialling = 0
  #improvedAt: number
  #exchangedAt = -Infinity
  #ended = false

  constructor(options: PeerSetOptions) {
    const { node, clock } = options
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#improvedAt = clock.monotonic()
    node.admit = (peer) => this.#refusalOf(peer)
    this.#undo = [
      node.serve(PEER_TOPICS.info, () => encodeHeartbeat(this.self())),
      node.serve(PEER_TOPICS.ping, () => new Uint8Array()),
      node.serve(PEER_TOPICS.peers, (_body, { key }) => this.#tellPeers(key)),
      node.onPeer(({ peer, what, reason }) => (what === 'up' ? this.#onUp(peer) : this.#onDown(peer, reason))),
      clock.every(STEP_MS, () => this.step()),
    ]
    for (const peer of node.peers) this.#onUp(peer)
  }

  /** This node's place in the network, as far as it is known. */
  get coordinate(): Coordinate {
    return this.#own
  }

  /** What this node says of itself. */
  self(): HeartbeatPayload {
    const coordinate = this.#own.error < 1 ? { coordinate: toNumbers(this.#own) } : {}
    return { ...this.#options.self(), links: this.#options.node.peers.length, ...coordinate }
  }

  /** The linked peers, as they are now. */
  peers(): ReadonlyArray<LinkedPeer & { readonly info?: HeartbeatPayload }> {
    const now = this.#options.clock.monotonic()
    return this.#options.node.peers.map((peer) => {
      const known = this.#known.get(peer.id)
      return { ...linkedPeer(peer, known, this.#options.candidates, now), ...(known?.info === undefined ? {} : { info: known.info }) }
    })
  }

  /** Looks after the set: called by the clock; after candidates were added it need not be waited for. */
  step(): void {
    if (this.#ended) return
    const { node, goal, clock } = this.#options
    const now = clock.monotonic()
    for (const peer of node.peers) this.#lookAfter(peer, now)
    // However many dial this node, it chooses as many itself as make half of a set: a crowd of strangers is never all that it sees.
    const outbound = node.peers.filter(({ direction }) => direction === 'out').length
    const missing = Math.max(goal.min - node.peers.length, Math.ceil(goal.min / 2) - outbound)
    if (missing > 0) this.#grow(missing, now)
    else if (now - this.#improvedAt >= IMPROVE_MS) this.improve()
  }

  /** Links to another node (or several, the nearest), and gives the worst peer up for it when there are more than are wanted. */
  improve({ count = 1, near = false }: { readonly count?: number; readonly near?: boolean } = {}): void {
    this.#improvedAt = this.#options.clock.monotonic()
    this.#dialSome(count, near)
    this.#giveUpWorst(this.#improvedAt)
  }

  /** Dials nodes that are missed, whatever came of the last attempts; those that it knows no more, or is linked to, are passed over. */
  seek(ids: readonly string[]): void {
    if (this.#ended) return
    for (const id of new Set(ids)) {
      const candidate = this.#options.candidates.get(id)
      const wanted = candidate !== undefined && this.#options.node.peer(id) === undefined && !this.#options.candidates.isBanned(id)
      if (wanted && this.#dialling < DIALS) void this.#dial(candidate)
    }
  }

  /** Dials whom it knows, and asks its peers for others when it knows nobody. */
  #grow(missing: number, now: number): void {
    if (this.#dialSome(missing) > 0 || this.#dialling > 0 || now - this.#exchangedAt < EXCHANGE_MS) return
    this.#exchangedAt = now
    for (const peer of sample(this.#options.node.peers, 2, this.#random)) void this.#exchange(peer)
  }

  /** Bans a peer for an hour and ends its link: it lied, or it floods. */
  ban(id: string, reason: string): void {
    this.#options.candidates.ban(id)
    this.#options.node.peer(id)?.close(reason)
  }

  [Symbol.dispose](): void {
    this.#ended = true
    for (const end of this.#undo) end()
    this.#known.clear()
  }

  /** Why a peer that dialled this node is not taken; undefined when it is. At most half of the links are made by others. */
  #refusalOf(peer: Peer): string | undefined {
    const { candidates, goal, node } = this.#options
    if (candidates.isBanned(peer.id)) return 'this node does not link to you for now'
    if (peer.direction === 'out') return undefined
    const peers = this.peers()
    if (peers.filter(({ direction }) => direction === 'in').length >= Math.ceil(goal.max / 2)) return 'this node takes no more peers'
    if (node.peers.length >= goal.max) return 'this node takes no more peers'
    return hasRoom(peers, prefixOfPeer(peer)) ? undefined : 'this node has enough peers in your network'
  }

  #onUp(peer: Peer): void {
    this.#known.set(peer.id, { info: undefined, coordinate: undefined, askedAt: -Infinity, asking: false })
    void this.#ask(peer, true)
  }

  #onDown(peer: Peer, reason?: string): void {
    this.#known.delete(peer.id)
    // Whoever lets a link go at once does not want it: not asked again at once.
    const candidate = this.#options.candidates.get(peer.id)
    if (candidate !== undefined && this.#options.clock.monotonic() - peer.since < YOUNG_MS) {
      this.#options.candidates.tried(peer.id, false)
      if (peer.direction === 'out') void this.#inquire(candidate)
    }
    this.#options.logger.debug('peer gone', { peer: sensitive(peer.id), reason })
    if (!this.#ended) this.#options.clock.after(0, () => this.step(), { unref: true })
  }

  #lookAfter(peer: Peer, now: number): void {
    const known = this.#known.get(peer.id)
    if (known === undefined || known.asking) return
    if (peer.openStreams > 1 || now - known.askedAt >= IDLE_ASK_MS) void this.#ask(peer, now - known.askedAt >= IDLE_ASK_MS)
  }

  /** Asks a peer how it is (in full) or only whether it is there, and ends the link when it says nothing in time. */
  async #ask(peer: Peer, full: boolean): Promise<void> {
    const { clock } = this.#options
    const known = this.#known.get(peer.id)
    if (known === undefined) return
    known.asking = true
    const start = clock.monotonic()
    if (full) known.askedAt = start
    const ms = full ? IDLE_SILENT_MS : Math.max(SILENT_MS, SILENT_ROUND_TRIPS * (peer.latencyMs ?? 0))
    try {
      const answer = await within(peer.ask(full ? PEER_TOPICS.info : PEER_TOPICS.ping, new Uint8Array()), {
        ms,
        what: 'a peer’s answer',
        clock,
      })
      // The best that was measured lately is the network's; what this answer took may be a busy machine's.
      if (full) this.#learn(peer, known, decodeHeartbeat(answer), Math.min(clock.monotonic() - start, peer.latencyMs ?? Infinity))
    } catch (error) {
      if (peer.usable) peer.close(`it fell silent or answered nonsense: ${(error as Error).message}`)
    } finally {
      known.asking = false
    }
    if (full && peer.usable && this.#options.candidates.size < this.#options.goal.max * 2) await this.#exchange(peer)
  }

  #learn(peer: Peer, known: Known, info: HeartbeatPayload, roundTripMs: number): void {
    const { candidates } = this.#options
    known.info = info
    known.coordinate = fromNumbers(info.coordinate)
    if (known.coordinate !== undefined) this.#own = moved(this.#own, known.coordinate, roundTripMs, this.#random)
    else if (this.#own === UNKNOWN) this.#own = moved(UNKNOWN, UNKNOWN, roundTripMs, this.#random)
    candidates.experience(peer.id, 'reached')
    const host = hostOf(peer)
    const [contact] = info.contacts
    // Where it says it listens, on the address that it was seen under: nobody can point us at a third.
    if (peer.direction === 'in' && contact !== undefined && host !== undefined) {
      candidates.add({ key: peer.key, contact: { host, port: contact.port }, source: 'inbound' })
    }
  }

  /** Asks a peer whom else it knows. */
  async #exchange(peer: Peer): Promise<void> {
    const { candidates, clock } = this.#options
    try {
      const answer = await within(peer.ask(PEER_TOPICS.peers, new Uint8Array()), { ms: IDLE_SILENT_MS, what: 'a peer’s answer', clock })
      for (const { key, contact } of decodePeers(answer)) candidates.add({ key, contact, source: 'exchange' })
      this.step()
    } catch (error) {
      this.#options.logger.debug('no peers exchanged', { peer: sensitive(peer.id), reason: (error as Error).message })
    }
  }

  /** A node that has no room knows others that may have some. */
  async #inquire({ id, key, contact }: Candidate): Promise<void> {
    const { node, candidates, logger } = this.#options
    try {
      const answer = await node.inquire(contact, key, PEER_TOPICS.peers, { signal: AbortSignal.timeout(DIAL_LIMIT_MS) })
      for (const peer of decodePeers(answer)) candidates.add({ ...peer, source: 'exchange' })
      this.step()
    } catch (error) {
      logger.debug('no peers from a node without room', { node: sensitive(id), reason: (error as Error).message })
    }
  }

  #tellPeers(to: Buffer): Uint8Array {
    const { node, candidates } = this.#options
    // Only those to which this node linked itself, at addresses that worked: hearsay is not passed on.
    const known = node.peers.flatMap((peer) => {
      const candidate = peer.key.equals(to) ? undefined : candidates.get(peer.id)
      return candidate === undefined ? [] : [{ key: candidate.key, contact: candidate.contact }]
    })
    return encodePeers(sample(known, MAX_EXCHANGED, this.#random))
  }

  /** Dials candidates; the answer is how many. */
  #dialSome(count: number, near = false): number {
    const { candidates } = this.#options
    const room = Math.min(count, DIALS - this.#dialling)
    if (room <= 0) return 0
    const rated = candidates.ready().map((candidate) => {
      const prefix = prefixOf(candidate.contact.host)
      return { candidate, trust: candidates.trustIn(candidate.id), ...(prefix === undefined ? {} : { prefix }) }
    })
    const chosen = choose(rated, this.peers(), { count: room, own: this.#own, random: this.#random, near })
    for (const candidate of chosen) void this.#dial(candidate)
    return chosen.length
  }

  async #dial({ id, key, contact }: Candidate): Promise<void> {
    const { node, candidates, logger } = this.#options
    this.#dialling++
    // Not tried again while it is under way.
    candidates.tried(id, false)
    try {
      const peer = await node.connect(contact, key, { signal: AbortSignal.timeout(DIAL_LIMIT_MS) })
      candidates.tried(id, peer.usable)
    } catch (error) {
      logger.debug('no link to a node', { node: sensitive(id), reason: (error as Error).message })
    } finally {
      this.#dialling--
    }
  }

  #giveUpWorst(now: number): void {
    const { node, goal } = this.#options
    if (node.peers.length <= goal.min) return
    const least = worst(
      node.peers.map((peer) => linkedPeer(peer, this.#known.get(peer.id), this.#options.candidates, now)),
      { own: this.#own, protectMs: PROTECT_MS },
    )
    if (least !== undefined) node.peer(least.id)?.close('a better peer takes its place')
  }
}
