import { FIRST_WINDOW_BYTES } from './preamble.ts'

/** What the streams of one tunnel or connection hold in one direction together: with a few streams each has a full window. */
const TOTAL_BYTES = 64 * 1024 * 1024
/** Enough for 40 MB/s at 100 ms. */
const MAX_BYTES = 4 * 1024 * 1024

/** Shares memory between streams: the more there are, the smaller their windows. */
export class WindowBudget {
  #open = 0

  /** How much one stream may hold in one direction now. */
  readonly share = (): number => Math.min(MAX_BYTES, Math.max(FIRST_WINDOW_BYTES, Math.floor(TOTAL_BYTES / Math.max(1, this.#open))))

  /** Counts a stream until the returned function is called. */
  take(): () => void {
    this.#open += 1
    let held = true
    return () => {
      if (held) this.#open -= 1
      held = false
    }
  }
}
