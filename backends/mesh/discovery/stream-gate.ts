import type { Clock } from '../../../core/index.ts'

/** How many hole-punched streams a tunnel takes. */
export interface StreamLimits {
  /** Open at the same time. */
  readonly maxOpen: number
  /** Asked for, but neither open nor given up yet. Each one holds a UDP socket while it is punched. */
  readonly maxPending: number
  /** How long an attempt can be pending. */
  readonly pendingMs: number
}

/** Decides who may try to open a stream: strangers ask, so that both what is open and what is tried are bounded. */
export class StreamGate {
  readonly #limits: StreamLimits
  readonly #clock: Clock
  /** When the pending attempts were let in, oldest first. */
  #pending: number[] = []
  #open = 0

  constructor(limits: StreamLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Whether one more may try. */
  admit(): boolean {
    const since = this.#clock.monotonic() - this.#limits.pendingMs
    this.#pending = this.#pending.filter((at) => at > since)
    if (this.#open >= this.#limits.maxOpen || this.#pending.length >= this.#limits.maxPending) return false
    this.#pending.push(this.#clock.monotonic())
    return true
  }

  /** An attempt became a stream. (Which one does not matter: the oldest is the likeliest.) */
  opened(): void {
    this.#pending.shift()
    this.#open += 1
  }

  /** An open stream has ended. */
  closed(): void {
    this.#open -= 1
  }
}
