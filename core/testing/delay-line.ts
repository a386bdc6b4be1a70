import type { Clock } from '../clock.ts'

interface Entry {
  readonly dueMs: number
  readonly act: () => void
}

/** Does things later and in order, also when the delay changes in between. */
export class DelayLine {
  readonly #clock: Clock
  readonly #entries: Entry[] = []
  #cancel: (() => void) | undefined
  #held = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many wait. */
  get length(): number {
    return this.#entries.length
  }

  /** Does `act` after `delayMs`, and never before what was pushed earlier; at once when there is nothing to wait for. */
  push(delayMs: number, act: () => void): void {
    if (delayMs <= 0 && this.#entries.length === 0 && !this.#held) return act()
    this.#entries.push({ dueMs: this.#clock.monotonic() + delayMs, act })
    this.#schedule()
  }

  /** While it is held, nothing is done; what is due meanwhile is done afterwards, in order. */
  hold(held: boolean): void {
    this.#held = held
    this.#cancel?.()
    this.#cancel = undefined
    this.#schedule()
  }

  /** Forgets what waits. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#entries.length = 0
  }

  #schedule(): void {
    const [head] = this.#entries
    if (head === undefined || this.#held || this.#cancel !== undefined) return
    this.#cancel = this.#clock.after(Math.max(0, head.dueMs - this.#clock.monotonic()), () => {
      this.#cancel = undefined
      this.#entries.shift()
      head.act()
      this.#schedule()
    })
  }
}
