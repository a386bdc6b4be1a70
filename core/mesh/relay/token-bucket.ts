import type { Clock } from '../../clock.ts'

/**
 * Bandwidth as a bucket of bytes that fills at a steady rate. It can be overdrawn by one chunk, which is paid by waiting: chunks arrive
 * whole, and splitting them would cost more than it is worth.
 */
export class TokenBucket {
  readonly #clock: Clock
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  /** @param options.bytesPerSecond - the rate; @param options.burst - bytes that may pass at once after a rest */
  constructor(options: { readonly clock: Clock; readonly bytesPerSecond: number; readonly burst: number }) {
    this.#clock = options.clock
    this.#perMs = options.bytesPerSecond / 1000
    this.#burst = options.burst
    this.#tokens = options.burst
    this.#at = options.clock.monotonic()
  }

  /** Takes bytes that have arrived; the answer is how many milliseconds to wait before more may come (0 = none). */
  take(bytes: number): number {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    this.#tokens -= bytes
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs)
  }
}
