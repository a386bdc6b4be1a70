import { backoffDelayMs, type BackoffOptions } from './backoff.ts'
import type { Clock } from './clock.ts'

/** What is to be kept up, and how often. */
export interface UpkeepOptions {
  readonly clock: Clock
  /** Does the work once; a rejection means that it has to be tried again soon. */
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Told of each failure. */
  readonly onFailure: (error: unknown) => void
  /** Waits after a failure. */
  readonly backoff: BackoffOptions
  /** Longest wait after a success; the real one is up to a tenth shorter, so that many nodes do not come back together. Absent = no repetition. */
  readonly everyMs?: number
}

/** A piece of work that is repeated: after a while when it succeeded, with growing waits when it failed, at once when woken. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #ending = new AbortController()
  #running: Promise<void> | undefined
  #again = false
  #wake: (() => void) | undefined

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  /** Works now, or once more when it works already. */
  wake(): void {
    if (this.#ending.signal.aborted) return
    this.#again = true
    this.#wake?.()
    this.#running ??= this.#run()
  }

  /** Stops it, and waits until the work that was going on has ended. */
  async stop(): Promise<void> {
    this.#ending.abort()
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    const { work, onFailure, backoff, everyMs } = this.#options
    const random = backoff.random ?? Math.random
    let failures = 0
    while (!signal.aborted) {
      this.#again = false
      let delayMs = everyMs === undefined ? undefined : everyMs * (1 - random() / 10)
      try {
        await work(signal)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        onFailure(error)
        delayMs = backoffDelayMs(failures, backoff)
        failures += 1
      }
      if (!this.#again) await this.#pause(delayMs)
    }
  }

  #pause(delayMs: number | undefined): Promise<void> {
    if (this.#ending.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = delayMs === undefined ? undefined : this.#options.clock.after(delayMs, done, { unref: true })
      const upkeep = this
      function done(): void {
        cancel?.()
        upkeep.#wake = undefined
        resolve()
      }
      this.#wake = done
    })
  }
}
