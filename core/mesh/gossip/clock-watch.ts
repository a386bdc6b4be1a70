import type { Clock } from '../../clock.ts'
import { encodeKey } from '../../identity/address.ts'
import { CLOCK_SKEW_MS } from '../../records/codec.ts'

/** Nodes whose messages are remembered. */
const MAX_ORIGINS = 256
/** What was said longer ago tells nothing of the clocks of now. */
const LATELY_MS = 600_000
/** Fewer than this have wrong clocks themselves. */
const MIN_ORIGINS = 3

/** That this machine's clock seems to be wrong: what others say, not proven. */
export interface ClockSuspicion {
  /** How far the others are ahead of this clock (below zero: behind it), in milliseconds. */
  readonly offsetMs: number
  /** How many say so. */
  readonly nodes: number
}

/** Compares the clocks of those who send messages with this one: who is out of step with most of them is the one who is wrong. */
export class ClockWatch {
  readonly #clock: Clock
  /** By origin, those heard longest ago first: when, and how far its time was from ours. */
  readonly #heard = new Map<string, { readonly at: number; readonly offsetMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A genuine message that was sent at this time, by its origin's clock. */
  note(origin: Uint8Array, sentAt: number): void {
    const id = encodeKey('node', origin)
    this.#heard.delete(id)
    this.#heard.set(id, { at: this.#clock.monotonic(), offsetMs: sentAt - this.#clock.now() })
    for (const oldest of this.#heard.keys()) {
      if (this.#heard.size <= MAX_ORIGINS) break
      this.#heard.delete(oldest)
    }
  }

  /** Undefined as long as most clocks agree with this one. Messages are on their way for a while, so that only minutes count. */
  get suspicion(): ClockSuspicion | undefined {
    const since = this.#clock.monotonic() - LATELY_MS
    const offsets = [...this.#heard.values()].filter(({ at }) => at >= since).map(({ offsetMs }) => offsetMs)
    const apart = offsets.filter((offsetMs) => Math.abs(offsetMs) > CLOCK_SKEW_MS).sort((a, b) => a - b)
    if (apart.length < MIN_ORIGINS || apart.length * 2 <= offsets.length) return undefined
    return { offsetMs: Math.round(apart[Math.floor(apart.length / 2)] ?? 0), nodes: apart.length }
  }
}
