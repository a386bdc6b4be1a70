import type { Clock } from '../../clock.ts'

/** Nothing was heard for so long: that is asked about. Later after each answer on an idle stream, but in time for a failover within 5 s. */
const QUIET_MS = { least: 1_000, most: 4_000 } as const
/** Least time for an answer, in milliseconds. */
const MIN_PATIENCE_MS = 300

/** What is watched, and what is done. */
export interface QuietWatchSetup {
  readonly clock: Clock
  /** When anything was last heard on any path. */
  readonly heardAtMs: () => number
  /** How long an answer takes at most on a path that lives. */
  readonly patienceMs: () => number
  /** Whether watching is of any use now. */
  readonly wanted: () => boolean
  ask(): void
  /** The question was not answered. */
  onQuiet(): void
}

/**
 * Notices that every path of a stream has fallen silent. An end that only receives would never know: nothing of its own is late. Needed while
 * a path is missing, because only the visitor's end can dial it.
 */
export class QuietWatch {
  readonly #setup: QuietWatchSetup
  #cancel: (() => void) | undefined
  #quietMs: number = QUIET_MS.least
  #askedAtMs = -Infinity
  #told = false

  constructor(setup: QuietWatchSetup) {
    this.#setup = setup
  }

  /** Watches until it is of no use; harmless when it does. */
  start(): void {
    if (this.#cancel === undefined) this.#look(QUIET_MS.least)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #look(inMs: number): void {
    this.#cancel = this.#setup.clock.after(inMs, () => this.#check(), { unref: true })
  }

  #check(): void {
    this.#cancel = undefined
    const { clock, heardAtMs, patienceMs, wanted, ask, onQuiet } = this.#setup
    if (!wanted()) return
    const patience = Math.max(MIN_PATIENCE_MS, patienceMs())
    const [now, heard, asked] = [clock.monotonic(), heardAtMs(), this.#askedAtMs]
    if (heard < asked) {
      if (!this.#told) onQuiet()
      this.#told = true
      return this.#look(QUIET_MS.least)
    }
    this.#told = false
    // What came long after the question was no answer to it but traffic.
    if (heard > asked + patience) this.#quietMs = QUIET_MS.least
    const leftMs = this.#quietMs - (now - heard)
    if (leftMs > 0) return this.#look(leftMs)
    this.#askedAtMs = now
    this.#quietMs = Math.min(QUIET_MS.most, this.#quietMs * 2)
    ask()
    this.#look(patience)
  }
}
