import type { Clock } from '../../clock.ts'
import { encodeKey } from '../../identity/address.ts'
import type { Verdict } from './gossip.ts'
import type { GossipMessage } from './message.ts'
import { decodeHeartbeat, decodeRoutes, type HeartbeatPayload, type RouteEntry } from './payloads.ts'
import type { RecordCache } from './record-cache.ts'

/** A node that was heard of lately. */
export interface HeardNode extends HeartbeatPayload {
  readonly id: string
  readonly key: Uint8Array
  /** When it said so, by its own clock, in milliseconds since the epoch. */
  readonly sentAt: number
}

/** Nodes that are remembered: some 4 MB. What matters is that peers can be found among them, not that all are known. */
const MAX_NODES = 8192
/** A node that says more often that it lives is not handed on. */
const MIN_INTERVAL_MS = 5_000
/** A node that was not heard of for this long counts as gone: three heartbeats of 30 s, and what gossip may lose. */
const FORGOTTEN_AFTER_MS = 120_000

/** What the node's other parts hear of. */
export interface NewsListeners {
  onRoutes?(from: { readonly id: string }, routes: readonly RouteEntry[]): void
}

/** Takes in what gossip tells: services go into the record cache, nodes into a table of those that live. */
export class News {
  readonly #clock: Clock
  readonly #records: RecordCache
  readonly #listeners: NewsListeners
  /** By id, those that were heard of longest ago first. */
  readonly #nodes = new Map<string, HeardNode>()
  /** Sequence numbers of the last route update of each of them. */
  readonly #routesOf = new Map<string, number>()

  constructor(options: { readonly clock: Clock; readonly records: RecordCache; readonly listeners?: NewsListeners }) {
    this.#clock = options.clock
    this.#records = options.records
    this.#listeners = options.listeners ?? {}
  }

  /** Nodes that were heard of within the last two minutes. */
  nodes(): readonly HeardNode[] {
    const since = this.#clock.now() - FORGOTTEN_AFTER_MS
    return [...this.#nodes.values()].filter(({ sentAt }) => sentAt >= since)
  }

  readonly take = (message: GossipMessage): Verdict => {
    const origin = encodeKey('node', message.origin)
    switch (message.type) {
      case 'announce':
        return this.#records.take(message.payload, origin, false)
      case 'departure':
        return this.#records.take(message.payload, origin, true)
      case 'heartbeat':
        return this.#takeHeartbeat(origin, message)
      case 'route-update':
        return this.#takeRoutes(origin, message)
    }
  }

  #takeHeartbeat(id: string, { origin, sentAt, payload }: GossipMessage): Verdict {
    const known = this.#nodes.get(id)
    if (known !== undefined && sentAt < known.sentAt + MIN_INTERVAL_MS) return 'stale'
    let said: HeartbeatPayload
    try {
      said = decodeHeartbeat(payload)
    } catch {
      return 'bad'
    }
    this.#nodes.delete(id)
    this.#nodes.set(id, { ...said, id, key: origin, sentAt })
    for (const oldest of this.#nodes.keys()) {
      if (this.#nodes.size <= MAX_NODES) break
      this.#nodes.delete(oldest)
      this.#routesOf.delete(oldest)
    }
    return 'good'
  }

  /** Only of nodes that are known to live: so the table of routes is bounded by the table of nodes. */
  #takeRoutes(id: string, { sequence, payload }: GossipMessage): Verdict {
    if (!this.#nodes.has(id) || sequence <= (this.#routesOf.get(id) ?? 0)) return 'stale'
    let routes: readonly RouteEntry[]
    try {
      routes = decodeRoutes(payload)
    } catch {
      return 'bad'
    }
    this.#routesOf.set(id, sequence)
    this.#listeners.onRoutes?.({ id }, routes)
    return 'good'
  }
}
