/**
 * What was heard lately: the ids of all messages, so that none is handled twice, and the bytes of the latest, for peers that missed them.
 * Bounded in number and bytes, whatever arrives.
 */

/** Ids that are remembered, in two generations: at 100 messages a second, ten minutes. */
const MAX_SEEN = 65_536
/** Bytes of messages that are kept for others: some 3,000 announcements. */
const MAX_KEPT_BYTES = 4 << 20
/** Messages that are kept: what one request of ids can name. */
const MAX_KEPT = 1024

/** The memory of one node's gossip. */
export class RecentMessages {
  #seen = new Set<string>()
  #seenBefore = new Set<string>()
  readonly #kept = new Map<string, { readonly bytes: Uint8Array; readonly until: number }>()
  #keptBytes = 0
  readonly #maxSeen: number

  constructor(options: { readonly maxSeen?: number } = {}) {
    this.#maxSeen = options.maxSeen ?? MAX_SEEN
  }

  has(id: string): boolean {
    return this.#seen.has(id) || this.#seenBefore.has(id)
  }

  /** Notes a message; false when it was there already. */
  note(id: string): boolean {
    if (this.has(id)) return false
    if (this.#seen.size >= this.#maxSeen / 2) {
      this.#seenBefore = this.#seen
      this.#seen = new Set()
    }
    this.#seen.add(id)
    return true
  }

  /** Keeps the bytes of a message for peers that ask, until the time (milliseconds since the epoch) when it is no news any more. */
  keep(id: string, bytes: Uint8Array, until: number): void {
    this.#drop(id)
    this.#kept.set(id, { bytes, until })
    this.#keptBytes += bytes.length
    // Maps keep the order of insertion: the first is the oldest.
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT && this.#keptBytes <= MAX_KEPT_BYTES) break
      this.#drop(oldest)
    }
  }

  /** The bytes of a message, while it is kept and news. */
  get(id: string, now: number): Uint8Array | undefined {
    const kept = this.#kept.get(id)
    return kept === undefined || kept.until < now ? undefined : kept.bytes
  }

  /** Ids of what is kept and news, the latest first. */
  ids(now: number): string[] {
    return [...this.#kept]
      .filter(([, { until }]) => until >= now)
      .map(([id]) => id)
      .reverse()
  }

  #drop(id: string): void {
    const kept = this.#kept.get(id)
    if (kept === undefined) return
    this.#kept.delete(id)
    this.#keptBytes -= kept.bytes.length
  }
}
