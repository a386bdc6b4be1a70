import type { Clock } from '../../clock.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Logger } from '../../logger.ts'
import { sensitive } from '../../sensitive.ts'
import { ClockWatch, type ClockSuspicion } from './clock-watch.ts'
import { decodeIds, encodeIds, fromBatch, MAX_IDS, toBatches } from './batches.ts'
import {
  decodeEnvelope,
  encodeEnvelope,
  MAX_GOSSIP_TTL_SECONDS,
  messageId,
  openEnvelope,
  sealMessage,
  UntimelyMessage,
  type Envelope,
  type GossipMessage,
} from './message.ts'
import { PeerBudget, type PeerRecord } from './peer-budget.ts'
import { RecentMessages } from './recent.ts'
import { sample } from './sample.ts'

/** Peers that a message is handed on to. With six, a thousand nodes hear of it in five rounds, and each gets it six times. */
const FANOUT = 6
/** The first step is the one at which losing a peer costs most: what a node itself has to say goes to twice as many. */
const ORIGIN_FANOUT = 2 * FANOUT
/** How often a node tells its other peers which messages it has. Push alone misses e^-6 of the nodes, 2 or 3 in a thousand. */
const TELL_EVERY_MS = 250
/** Ids that wait to be told to one peer. */
const MAX_UNTOLD = MAX_IDS

/** Messages that wait for a copy with hops left: at the edge of a network there are some, and 1 MB is enough for them. */
const MAX_STUCK = 1024

/** Peers of whom something is thought. Far more than a node has. */
const MAX_BUDGETS = 1024

/** The two requests of gossip: take these messages; which of these do you want? */
export const GOSSIP_TOPICS = { push: 'gossip/push', have: 'gossip/have' } as const

/** How gossip reaches its neighbours. */
export interface GossipTransport {
  /** Ids of the peers with which a link stands. */
  peers(): readonly string[]
  /** A small request and its answer; rejects when the peer is gone. */
  ask(peer: string, topic: string, body: Uint8Array): Promise<Uint8Array>
}

/** What a message is, after its type was looked at. `stale` is nobody's fault: there is newer news of the same thing. */
export type Verdict = 'good' | 'stale' | 'bad'

/** What gossip is made of. */
export interface GossipOptions {
  readonly identity: Identity
  readonly transport: GossipTransport
  readonly clock: Clock
  readonly logger: Logger
  /** Looks at a genuine message before it is handed on, and takes in what it tells. */
  readonly take: (message: GossipMessage) => Verdict
  /** Told of a peer that has to be left, and why. */
  readonly onBadPeer?: (peer: string, reason: string) => void
  /** Numbers from 0 to below 1. */
  readonly random?: () => number
}

const EMPTY = new Uint8Array()

/**
 * Spreads news among peers: pushed on to six at random, each step checked before it is handed on; the others are told that it is there and
 * ask for it if they miss it. The DHT stays the truth; gossip makes news fast.
 */
export class Gossip implements Disposable {
  readonly #options: GossipOptions
  readonly #recent = new RecentMessages()
  readonly #clocks: ClockWatch
  readonly #budgets = new Map<string, PeerBudget>()
  /** Ids that each peer is still to be told of. */
  readonly #untold = new Map<string, Set<string>>()
  /** Messages that came without hops left, and so were not handed on. */
  readonly #stuck = new Map<string, { readonly envelope: Envelope; readonly until: number }>()
  readonly #random: () => number
  readonly #stop: () => void
  #sequence = 0
  #pushed = 0

  constructor(options: GossipOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#clocks = new ClockWatch(options.clock)
    this.#stop = options.clock.every(TELL_EVERY_MS, () => this.tell())
  }

  /** Payload messages that were sent to peers so far. */
  get pushed(): number {
    return this.#pushed
  }

  /** What is thought of a peer, from own experience. */
  opinionOf(peer: string): PeerRecord | undefined {
    return this.#budgets.get(peer)?.record
  }

  /** Set while most nodes' clocks disagree with this one. */
  get clock(): ClockSuspicion | undefined {
    return this.#clocks.suspicion
  }

  /** Says something to the network. */
  publish(message: Pick<GossipMessage, 'type' | 'payload'> & { readonly ttlSeconds?: number }): void {
    const { clock, identity } = this.#options
    const sentAt = Math.floor(clock.now())
    this.#sequence = Math.max(this.#sequence + 1, sentAt)
    const ttlSeconds = message.ttlSeconds ?? MAX_GOSSIP_TTL_SECONDS
    const envelope = sealMessage({ ...message, ttlSeconds, sequence: this.#sequence, sentAt }, identity)
    const id = messageId(envelope)
    this.#recent.note(id)
    this.#spread(id, envelope, sentAt + ttlSeconds * 1000, ORIGIN_FANOUT)
  }

  /**
   * Takes a request of a peer.
   * @throws ProtocolError when it is malformed
   */
  answer(peer: string, topic: string, body: Uint8Array): Uint8Array {
    const budget = this.#budgetOf(peer)
    try {
      if (topic === GOSSIP_TOPICS.have) return encodeIds(decodeIds(body).filter((id) => !this.#recent.has(id)))
      for (const bytes of fromBatch(body)) this.#takeFrom(peer, budget, decodeEnvelope(bytes))
      return EMPTY
    } catch (error) {
      budget.takeInvalid()
      throw error
    } finally {
      if (budget.bad) this.#leave(peer, 'it floods or forges gossip')
    }
  }

  /** A link to a peer came up: the two tell each other what they have (anti-entropy). */
  onPeer(peer: string): void {
    const ids = this.#recent.ids(this.#options.clock.now())
    if (ids.length > 0) void this.#offer(peer, ids)
  }

  /** A peer is gone. What is thought of it goes too: whoever bans peers remembers that elsewhere. */
  onGone(peer: string): void {
    this.#budgets.delete(peer)
    this.#untold.delete(peer)
  }

  /** Tells every peer of the messages that it may have missed. Called by the clock. */
  tell(): void {
    for (const [peer, ids] of this.#untold) void this.#offer(peer, [...ids])
    this.#untold.clear()
  }

  [Symbol.dispose](): void {
    this.#stop()
    this.#untold.clear()
  }

  #takeFrom(peer: string, budget: PeerBudget, envelope: Envelope): void {
    const id = messageId(envelope)
    // The peer has it, so need not be told of it.
    this.#untold.get(peer)?.delete(id)
    if (this.#recent.has(id)) {
      this.#takeCopy(peer, id, envelope)
      return budget.takeDuplicate()
    }
    // Before the signature is looked at: that is what a flood would make us do.
    if (!budget.takeFresh()) return
    const now = this.#options.clock.now()
    let message: GossipMessage
    try {
      message = openEnvelope(envelope, now)
    } catch (error) {
      // The id names what was signed, not the signature: noted for a forged copy, it would keep the genuine one out.
      if (!(error instanceof UntimelyMessage)) return budget.takeInvalid()
      this.#recent.note(id)
      return this.#clocks.note(error.origin, error.sentAt)
    }
    this.#recent.note(id)
    this.#clocks.note(message.origin, message.sentAt)
    const verdict = this.#options.take(message)
    if (verdict === 'bad') budget.takeInvalid()
    if (verdict === 'good') {
      const until = message.sentAt + message.ttlSeconds * 1000
      this.#spread(id, { ...envelope, hops: envelope.hops - 1 }, until, FANOUT, peer)
    }
  }

  /** Whoever takes the hops off a message keeps nobody from it: the first copy that has some is handed on in its place, once. */
  #takeCopy(from: string, id: string, { hops }: Envelope): void {
    const stuck = this.#stuck.get(id)
    if (stuck === undefined || hops < 2) return
    this.#stuck.delete(id)
    if (stuck.until > this.#options.clock.now()) this.#spread(id, { ...stuck.envelope, hops: hops - 1 }, stuck.until, FANOUT, from)
  }

  #spread(id: string, envelope: Envelope, until: number, fanout: number, from?: string): void {
    const last = envelope.hops <= 0
    const bytes = encodeEnvelope(last ? { ...envelope, hops: 0 } : envelope)
    this.#recent.keep(id, bytes, until)
    if (last) return this.#keepStuck(id, envelope, until)
    const others = this.#options.transport.peers().filter((peer) => peer !== from)
    const chosen = new Set(sample(others, fanout, this.#random))
    for (const peer of chosen) void this.#push(peer, [bytes])
    for (const peer of others) if (!chosen.has(peer)) this.#tellLater(peer, id)
  }

  #keepStuck(id: string, envelope: Envelope, until: number): void {
    this.#stuck.set(id, { envelope, until })
    for (const oldest of this.#stuck.keys()) {
      if (this.#stuck.size <= MAX_STUCK) break
      this.#stuck.delete(oldest)
    }
  }

  #tellLater(peer: string, id: string): void {
    const ids = this.#untold.get(peer) ?? new Set()
    if (ids.size < MAX_UNTOLD) ids.add(id)
    this.#untold.set(peer, ids)
  }

  async #push(peer: string, messages: readonly Uint8Array[]): Promise<void> {
    this.#pushed += messages.length
    try {
      for (const batch of toBatches(messages)) await this.#options.transport.ask(peer, GOSSIP_TOPICS.push, batch)
    } catch (error) {
      this.#options.logger.debug('gossip not taken', { peer: sensitive(peer), reason: (error as Error).message })
    }
  }

  /** Tells a peer what is here, and sends what it wants. */
  async #offer(peer: string, ids: readonly string[]): Promise<void> {
    const offered = ids.slice(0, MAX_IDS)
    try {
      const wanted = decodeIds(await this.#options.transport.ask(peer, GOSSIP_TOPICS.have, encodeIds(offered)))
      const known = new Set(offered)
      const now = this.#options.clock.now()
      // It can ask for what was offered, once.
      const messages = [...new Set(wanted)].filter((id) => known.has(id)).flatMap((id) => this.#recent.get(id, now) ?? [])
      if (messages.length > 0) await this.#push(peer, messages)
    } catch (error) {
      this.#options.logger.debug('gossip not offered', { peer: sensitive(peer), reason: (error as Error).message })
    }
  }

  #budgetOf(peer: string): PeerBudget {
    const known = this.#budgets.get(peer)
    if (known !== undefined) return known
    const budget = new PeerBudget(this.#options.clock)
    this.#budgets.set(peer, budget)
    // Also those who ask and are no peers have one, so there is no end of them.
    for (const oldest of this.#budgets.keys()) {
      if (this.#budgets.size <= MAX_BUDGETS) break
      this.#budgets.delete(oldest)
    }
    return budget
  }

  #leave(peer: string, reason: string): void {
    this.#budgets.delete(peer)
    this.#options.onBadPeer?.(peer, reason)
  }
}
