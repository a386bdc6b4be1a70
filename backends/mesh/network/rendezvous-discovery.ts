import {
  decodeClaimants,
  generateIdentity,
  LOOKUP_TOPICS,
  MeshNode,
  type Announced,
  type Clock,
  type Discovery,
  type DiscoveryStatus,
  type Found,
  type Logger,
} from '../../../core/index.ts'
import { answers } from '../discovery/answers.ts'
import { parseNodeAddress, type NodeAddress } from './node-address.ts'

/** Nodes that are asked for one service: some may be gone, and each is told what is looked for. */
const ASKED = 4
/** A node that knows answers at once. */
const ASK_LIMIT_MS = 5_000
/** Answers that are taken of all of them together. */
const MAX_ANSWERS = 128

/**
 * Discovery by asking nodes that are known beforehand (`p2p.peers`), each under a throw-away key and without becoming its peer. What is
 * published gets to them by gossip.
 */
export class RendezvousDiscovery implements Discovery {
  readonly name = 'rendezvous'
  readonly #nodes: readonly NodeAddress[]
  readonly #asker: MeshNode
  #answered = 0
  #failed = 0

  /** @throws ConfigError when an address is none of a node */
  constructor(options: { readonly peers: readonly string[]; readonly clock: Clock; readonly logger: Logger }) {
    this.#nodes = options.peers.map((text) => parseNodeAddress(text)).slice(0, ASKED)
    // Never listens and has no peers: each question is asked under a key of its own.
    this.#asker = new MeshNode({ identity: generateIdentity(), clock: options.clock, logger: options.logger })
  }

  announce(): Announced {
    return { state: 'pending', update: () => {}, stop: () => Promise.resolve() }
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
    if (this.#nodes.length === 0) return { state: 'off' }
    if (this.#answered > 0) return { state: 'ready', detail: `${this.#nodes.length} nodes configured` }
    return { state: this.#failed > 0 ? 'unreachable' : 'idle', detail: `${this.#nodes.length} nodes configured` }
  }

  async close(): Promise<void> {
    await this.#asker[Symbol.asyncDispose]()
  }

  #ask(topic: string, body: Uint8Array, outer: AbortSignal): AsyncGenerator<Buffer, void> {
    return answers<Buffer>({ signal: outer, limit: MAX_ANSWERS }, ({ push, end }) => {
      const ending = new AbortController()
      const signal = AbortSignal.any([outer, ending.signal, AbortSignal.timeout(ASK_LIMIT_MS)])
      const asked = this.#nodes.map(async ({ key, host, port }) => {
        try {
          push(await this.#asker.inquire({ host, port }, key, topic, { body, signal }))
          this.#answered++
        } catch {
          this.#failed++
        }
      })
      void Promise.all(asked).then(end)
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
