import type { Clock } from '../../core/index.ts'

/** Counts what happens in windows of fixed length and says when it is too much. */
export class RateWindow {
  readonly #max: number
  readonly #windowMs: number
  readonly #clock: Clock
  #start: number
  #used = 0
  #refused = 0

  constructor(max: number, windowMs: number, clock: Clock) {
    this.#max = max
    this.#windowMs = windowMs
    this.#clock = clock
    this.#start = clock.monotonic()
  }

  /** Whether `amount` more still fits into this window. */
  allows(amount = 1): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#start >= this.#windowMs) {
      this.#start = now
      this.#used = 0
    }
    this.#used += amount
    const fits = this.#used <= this.#max
    if (!fits) this.#refused += amount
    return fits
  }

  /** How much was refused since this was last asked. */
  takeRefused(): number {
    const refused = this.#refused
    this.#refused = 0
    return refused
  }
}
