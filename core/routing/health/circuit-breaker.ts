import { backoffDelayMs } from '../../backoff.ts'

/** `closed`: used freely. `open`: not used until its wait is over. `half-open`: single trials decide. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** When a breaker opens and how it closes again. */
export interface BreakerOptions {
  /** So many failures in a row open it. Default: 3, because a single lost stream says little about a network. */
  readonly failures?: number
  /** So many successful trials in a row close it. Default: 2, so that one lucky stream does not bring everybody back. */
  readonly successes?: number
  /** Shortest wait before a trial, and bound of the jitter on top of the first one, in milliseconds. Default: 1 s. */
  readonly baseMs?: number
  /** Bound of the jitter on top of any wait, in milliseconds. Default: 60 s. */
  readonly maxMs?: number
  /** A trial that nobody reported after so many milliseconds is taken for failed. Default: 120 s, the longest that a dial may take. */
  readonly trialMs?: number
  /** A number in [0, 1); tests pass their own. */
  readonly random?: () => number
}

const DEFAULTS = { failures: 3, successes: 2, baseMs: 1_000, maxMs: 60_000, trialMs: 120_000 } as const

/**
 * Keeps a path that fails from being used, and lets single trials through from time to time. The wait before each trial grows and has
 * full jitter, so that many users of one path that broke do not come back together. Pure: the caller brings the time (monotonic, ms).
 *
 * Every attempt that {@link acquire} allowed is reported once: `succeeded`, `failed`, or `abandoned` when it came to no verdict.
 */
export class CircuitBreaker {
  readonly #options: Required<Omit<BreakerOptions, 'random'>> & Pick<BreakerOptions, 'random'>
  #failures = 0
  #successes = 0
  /** How often it was opened since it was closed last. */
  #openings = 0
  /** The end of the wait; undefined while it is closed. */
  #trialAt: number | undefined
  /** When the trial under way began. */
  #trialSince: number | undefined

  constructor(options: BreakerOptions = {}) {
    this.#options = { ...DEFAULTS, ...options }
  }

  state(nowMs: number): BreakerState {
    if (this.#trialAt === undefined) return 'closed'
    return nowMs < this.#trialAt ? 'open' : 'half-open'
  }

  /** Whether an attempt may be made now. While half-open, only one at a time. */
  acquire(nowMs: number): boolean {
    const state = this.state(nowMs)
    if (state !== 'half-open') return state === 'closed'
    if (this.#trialSince !== undefined) {
      if (nowMs - this.#trialSince < this.#options.trialMs) return false
      this.#open(nowMs)
      return false
    }
    this.#trialSince = nowMs
    return true
  }

  /** How long until {@link acquire} may say yes, in milliseconds; 0 = now. A trial under way is not foreseen. */
  waitMs(nowMs: number): number {
    return this.#trialAt === undefined ? 0 : Math.max(0, this.#trialAt - nowMs)
  }

  /** An attempt worked. While it is open this is late news of an attempt from before, and changes nothing. */
  succeeded(nowMs: number): void {
    this.#failures = 0
    if (this.state(nowMs) !== 'half-open') return
    this.#trialSince = undefined
    this.#successes += 1
    if (this.#successes >= this.#options.successes) this.#close()
  }

  /** An attempt failed. */
  failed(nowMs: number): void {
    const state = this.state(nowMs)
    if (state === 'open') return
    this.#failures += 1
    if (state === 'half-open' || this.#failures >= this.#options.failures) this.#open(nowMs)
  }

  /** An attempt came to no verdict (it was called off): the next one may be a trial again. */
  abandoned(): void {
    this.#trialSince = undefined
  }

  /** Forgets everything: the path was made anew. */
  reset(): void {
    this.#close()
    this.#failures = 0
  }

  #open(nowMs: number): void {
    const { baseMs, maxMs, random } = this.#options
    const jitter = backoffDelayMs(this.#openings, { baseMs, maxMs, ...(random === undefined ? {} : { random }) })
    this.#trialAt = nowMs + baseMs + jitter
    this.#trialSince = undefined
    this.#successes = 0
    this.#openings += 1
  }

  #close(): void {
    this.#trialAt = undefined
    this.#trialSince = undefined
    this.#failures = 0
    this.#successes = 0
    this.#openings = 0
  }
}
