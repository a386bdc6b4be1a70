import type { Clock } from '../../clock.ts'
import { CircuitBreaker, type BreakerOptions, type BreakerState } from './circuit-breaker.ts'
import { Ewma } from './ewma.ts'

/** Where an observation comes from: streams that somebody wanted anyway, or ones that were made to measure. */
export type Observer = 'traffic' | 'probe'

/** Half a minute: what happened two minutes ago counts a sixteenth. */
const DEFAULT_HALF_LIFE_MS = 30_000

/** How a path is watched. */
export interface HealthOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** After so many milliseconds an observation counts half. Default: 30 s. */
  readonly halfLifeMs?: number
  readonly breaker?: BreakerOptions
}

/** What was measured on a path; what was not measured is absent. */
export interface HealthFigures {
  /** Share of attempts that worked, from 0 to 1, recent ones counting more. */
  readonly successRate?: number
  /** Time to the first byte (or to the end of a dial without one), in milliseconds, recent ones counting more. */
  readonly ttfbMs?: number
  /** How much it varies: mean distance from `ttfbMs`. */
  readonly ttfbSpreadMs?: number
  /** How many fresh observations the figures are worth now: below 1 they are old. */
  readonly weight: number
  /** Counted since the start. */
  readonly succeeded: number
  readonly failed: number
  readonly probes: number
  /** Failures since the last success. */
  readonly failuresInARow: number
  /** Milliseconds since the first failure of the present row; absent while the last attempt worked. */
  readonly failingForMs?: number
  /** Milliseconds since the first success of the present row; absent while the last attempt failed. */
  readonly workingForMs?: number
  /** Milliseconds since the last observation, whatever it was; absent before the first. */
  readonly observedMsAgo?: number
  readonly breaker: BreakerState
  /** Milliseconds until the next trial, while the breaker is open. */
  readonly trialInMs?: number
}

/**
 * The health of one path, or of one endpoint of a publisher: counters of what happened anyway (passive) and of probes (active), weighted
 * by age, with a circuit breaker. It makes no attempts itself and sets no timers.
 */
export class PathHealth {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #breaker: CircuitBreaker
  readonly #success: Ewma
  readonly #ttfb: Ewma
  readonly #spread: Ewma
  #succeeded = 0
  #failed = 0
  #probes = 0
  #failuresInARow = 0
  /** When the present row of failures, or of successes, began. */
  #rowSince: number | undefined
  #observedAt: number | undefined

  constructor({ clock, halfLifeMs = DEFAULT_HALF_LIFE_MS, breaker }: HealthOptions) {
    this.#clock = clock
    this.#breaker = new CircuitBreaker(breaker)
    this.#success = new Ewma(halfLifeMs)
    this.#ttfb = new Ewma(halfLifeMs)
    this.#spread = new Ewma(halfLifeMs)
  }

  /** Whether an attempt may be made now; while half-open only one at a time. Report it by one of the three methods below. */
  acquire(): boolean {
    return this.#breaker.acquire(this.#clock.monotonic())
  }

  /** An attempt worked. `ttfbMs` is the time from its start to the first byte (or to an open stream, where no byte was awaited). */
  succeeded({ by, ttfbMs }: { readonly by: Observer; readonly ttfbMs?: number }): void {
    const now = this.#observe(by)
    if (this.#failuresInARow > 0 || this.#rowSince === undefined) this.#rowSince = now
    this.#failuresInARow = 0
    this.#succeeded += 1
    this.#success.add(1, now)
    if (ttfbMs !== undefined) {
      this.#spread.add(Math.abs(ttfbMs - (this.#ttfb.value ?? ttfbMs)), now)
      this.#ttfb.add(ttfbMs, now)
    }
    this.#breaker.succeeded(now)
  }

  /** An attempt failed because of the path. */
  failed({ by }: { readonly by: Observer }): void {
    const now = this.#observe(by)
    if (this.#failuresInARow === 0) this.#rowSince = now
    this.#failuresInARow += 1
    this.#failed += 1
    this.#success.add(0, now)
    this.#breaker.failed(now)
  }

  /** An attempt that {@link acquire} allowed was called off. */
  abandoned(): void {
    this.#breaker.abandoned()
  }

  /** The path was made anew: what opened the breaker counts no more. The figures stay, and fade. */
  renewed(): void {
    this.#breaker.reset()
    this.#failuresInARow = 0
    this.#rowSince = undefined
  }

  figures(): HealthFigures {
    const now = this.#clock.monotonic()
    const failing = this.#failuresInARow > 0
    const rowMs = this.#rowSince === undefined ? undefined : now - this.#rowSince
    const state = this.#breaker.state(now)
    return {
      ...(this.#success.value === undefined ? {} : { successRate: this.#success.value }),
      ...(this.#ttfb.value === undefined ? {} : { ttfbMs: this.#ttfb.value }),
      ...(this.#spread.value === undefined ? {} : { ttfbSpreadMs: this.#spread.value }),
      weight: this.#success.weight(now),
      succeeded: this.#succeeded,
      failed: this.#failed,
      probes: this.#probes,
      failuresInARow: this.#failuresInARow,
      ...(failing && rowMs !== undefined ? { failingForMs: rowMs } : {}),
      ...(!failing && rowMs !== undefined ? { workingForMs: rowMs } : {}),
      ...(this.#observedAt === undefined ? {} : { observedMsAgo: now - this.#observedAt }),
      breaker: state,
      ...(state === 'open' ? { trialInMs: this.#breaker.waitMs(now) } : {}),
    }
  }

  #observe(by: Observer): number {
    const now = this.#clock.monotonic()
    this.#observedAt = now
    if (by === 'probe') this.#probes += 1
    return now
  }
}
