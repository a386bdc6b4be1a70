import type { Clock } from '../../clock.ts'
import type { RelayLimits } from './relay-limits.ts'
import { TokenBucket } from './token-bucket.ts'

const DAY_MS = 86_400_000
/** Peers whose use is remembered after their streams ended; the least recently seen is forgotten first. */
const MAX_PEERS = 4096

/** What one peer uses of a relay. */
export class PeerUsage {
  readonly #clock: Clock
  readonly #bucket: TokenBucket
  #dayBegan: number
  #bytesOfDay = 0
  streams = 0
  bytes = 0

  constructor(clock: Clock, limits: RelayLimits) {
    this.#clock = clock
    this.#dayBegan = clock.monotonic()
    this.#bucket = new TokenBucket({ clock, bytesPerSecond: limits.bytesPerSecondPerPeer, burst: limits.bytesPerSecondPerPeer })
  }

  /** Bytes since the day of this peer began. */
  get bytesToday(): number {
    if (this.#clock.monotonic() - this.#dayBegan >= DAY_MS) {
      this.#dayBegan = this.#clock.monotonic()
      this.#bytesOfDay = 0
    }
    return this.#bytesOfDay
  }

  /** Counts bytes; the answer is how many milliseconds to wait before more may come. */
  take(bytes: number): number {
    this.#bytesOfDay = this.bytesToday + bytes
    this.bytes += bytes
    return this.#bucket.take(bytes)
  }
}

/** What all peers use, bounded in number. */
export class Usage {
  readonly #clock: Clock
  readonly #limits: RelayLimits
  readonly #peers = new Map<string, PeerUsage>()

  constructor(clock: Clock, limits: RelayLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Peers that used the relay, as far as is remembered. */
  get size(): number {
    return this.#peers.size
  }

  of(peer: string): PeerUsage {
    const known = this.#peers.get(peer) ?? new PeerUsage(this.#clock, this.#limits)
    this.#peers.delete(peer)
    this.#peers.set(peer, known)
    for (const [oldest, usage] of this.#peers) {
      if (this.#peers.size <= MAX_PEERS) break
      if (usage.streams === 0) this.#peers.delete(oldest)
      else break
    }
    return known
  }
}
