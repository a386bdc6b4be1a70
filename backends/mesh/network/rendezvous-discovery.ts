import {
  decodeClaimants,
  generateIdentity,
  LOOKUP_TOPICS,
  MeshNode,
  type Announced,
  type Announcement,
  type AnnouncementState,
  type Clock,
  type Discovery,
  type DiscoveryStatus,
  type Found,
  type Logger,
} from '../../../core/index.ts'
import { answers } from '../discovery/answers.ts'
import { parseNodeAddress, type NodeAddress } from './node-address.ts'
import { RendezvousRegistration } from './rendezvous-registration.ts'

/** Nodes that are asked for one service: some may be gone, and each is told what is looked for. */
const ASKED = 4
/** A node that knows answers at once. */
const ASK_LIMIT_MS = 5_000
/** Answers that are taken of all of them together. */
const MAX_ANSWERS = 128

/** What discovery by meeting places needs. */
export interface RendezvousOptions {
  /** `beam-node:…` of each meeting place that the configuration names. */
  readonly peers: readonly string[]
  /** Further ones, looked up when they are first needed. Never rejects. */
  readonly morePeers?: () => Promise<readonly string[]>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Discovery by meeting places: nodes that are known beforehand (`p2p.peers`). Each is asked under a throw-away key and without becoming its
 * peer, and what is published is registered with it, so that it is found there also when the publisher does not gossip.
 */
export class RendezvousDiscovery implements Discovery {
  readonly name = 'rendezvous'
  readonly #options: RendezvousOptions
  readonly #configured: readonly NodeAddress[]
  readonly #asker: MeshNode
  readonly #registrations = new Set<RendezvousRegistration>()
  #answered = 0
  #failed = 0

  /** @throws ConfigError when an address is none of a node */
  constructor(options: RendezvousOptions) {
    this.#options = options
    this.#configured = options.peers.map((text) => parseNodeAddress(text))
    // Never listens and has no peers: each question is asked under a key of its own.
    this.#asker = new MeshNode({ identity: generateIdentity(), clock: options.clock, logger: options.logger })
  }

  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced {
    if (this.#isOff) return { state: 'pending', update: () => {}, stop: () => Promise.resolve() }
    const registration = new RendezvousRegistration({
      announcement,
      nodes: () => this.#nodes(),
      ask: (node, topic, body, signal) => this.#askOne(node, topic, body, signal),
      clock: this.#options.clock,
      onState,
      onStopped: () => this.#registrations.delete(registration),
    })
    this.#registrations.add(registration)
    return registration
  }

  async *find(serviceKey: Uint8Array, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Found, void> {
    for await (const record of this.#ask(LOOKUP_TOPICS.record, serviceKey, signal)) {
      if (record.length > 0) yield { source: this.name, contacts: [], record }
    }
  }

  async *claimants(name: string, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array, void> {
    for await (const answer of this.#ask(LOOKUP_TOPICS.name, Buffer.from(name), signal)) yield* keysOf(answer)
  }

  status(): DiscoveryStatus {
    if (this.#isOff) return { state: 'off' }
    const detail = `${this.#configured.length} ${this.#configured.length === 1 ? 'node' : 'nodes'} configured`
    if (this.#answered > 0) return { state: 'ready', detail }
    return { state: this.#failed > 0 ? 'unreachable' : 'idle', detail }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#registrations].map((registration) => registration.stop()))
    await this.#asker[Symbol.asyncDispose]()
  }

  get #isOff(): boolean {
    return this.#configured.length === 0 && this.#options.morePeers === undefined
  }

  async #nodes(): Promise<readonly NodeAddress[]> {
    const more = (await this.#options.morePeers?.()) ?? []
    return [...this.#configured, ...more.map((text) => parseNodeAddress(text))].slice(0, ASKED)
  }

  async #askOne({ key, host, port }: NodeAddress, topic: string, body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(ASK_LIMIT_MS)])
      const answer = await this.#asker.inquire({ host, port }, key, topic, { body, signal: limited })
      this.#answered++
      return answer
    } catch (error) {
      this.#failed++
      throw error
    }
  }

  #ask(topic: string, body: Uint8Array, outer: AbortSignal): AsyncGenerator<Buffer, void> {
    return answers<Buffer>({ signal: outer, limit: MAX_ANSWERS }, ({ push, end }) => {
      const ending = new AbortController()
      const signal = AbortSignal.any([outer, ending.signal])
      const all = async (): Promise<unknown> =>
        Promise.allSettled((await this.#nodes()).map(async (node) => push(await this.#askOne(node, topic, body, signal))))
      void all().then(end)
      return () => ending.abort()
    })
  }
}

function keysOf(answer: Uint8Array): readonly Uint8Array[] {
  try {
    return decodeClaimants(answer)
  } catch {
    return []
  }
}
