import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import type { Refusal } from '../../link/refusal.ts'
import { join, type JoinResult } from '../../streams/join.ts'
import { Usage } from './peer-usage.ts'
import type { RelayLimits } from './relay-limits.ts'
import { resetStream } from '../../streams/reset.ts'
import { TokenBucket } from './token-bucket.ts'

const refusal = (status: number, message: string): Refusal => ({ status, code: 'BEAM_ERR_RATE_LIMITED', message })
const FULL = refusal(503, 'This relay carries as many streams as it can.')
const YOURS_FULL = refusal(429, 'This relay carries as many of your streams as it may.')
const USED_UP = refusal(429, 'You have used up what this relay carries for one peer in a day.')

/** One stream that is carried for a peer. */
export interface Carried {
  /** Carries the bytes of two streams until both ended. Beyond the day's limit they are broken off. */
  join(a: Duplex, b: Duplex): Promise<JoinResult>
  /** It counts no more: to be called when it ended, or never began. Harmless when repeated. */
  end(): void
}

/** What a relay carries and has carried, and for whom: who asks for more than the limits is refused, and whoever sends more is slowed down. */
export class RelayLedger {
  readonly #limits: RelayLimits
  readonly #usage: Usage
  readonly #bucket: TokenBucket
  /** Streams that are carried now. */
  open = 0
  streams = 0
  refused = 0
  bytes = 0

  constructor(clock: Clock, limits: RelayLimits) {
    this.#limits = limits
    this.#usage = new Usage(clock, limits)
    this.#bucket = new TokenBucket({ clock, bytesPerSecond: limits.bytesPerSecond, burst: limits.bytesPerSecond })
  }

  /** Peers that were carried for. */
  get peers(): number {
    return this.#usage.size
  }

  /** Why no more is carried for a peer now; undefined when it is. */
  verdict(peer: string): Refusal | undefined {
    const usage = this.#usage.of(peer)
    if (this.open >= this.#limits.streams) return FULL
    if (usage.streams >= this.#limits.streamsPerPeer) return YOURS_FULL
    return usage.bytesToday >= this.#limits.bytesPerDayPerPeer ? USED_UP : undefined
  }

  /** Begins to carry a stream. */
  begin(peer: string): Carried {
    const usage = this.#usage.of(peer)
    usage.streams++
    this.open++
    this.streams++
    let counts = true
    const end = (): void => {
      if (!counts) return
      counts = false
      usage.streams--
      this.open--
    }
    return {
      end,
      join: async (a, b) => {
        const pace = (bytes: number): number => {
          this.bytes += bytes
          if (usage.bytesToday >= this.#limits.bytesPerDayPerPeer) {
            // Not within the reading of one of them.
            queueMicrotask(() => {
              for (const stream of [a, b]) resetStream(stream, new Error(USED_UP.message))
            })
          }
          return Math.max(usage.take(bytes), this.#bucket.take(bytes))
        }
        try {
          return await join(a, b, { pace })
        } finally {
          end()
        }
      },
    }
  }
}
