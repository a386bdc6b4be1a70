import type { Clock } from '../clock.ts'
import type { BreakerState, HealthFigures } from '../routing/health/index.ts'
import type { LegState } from './strategy.ts'

/** What was measured of a network or a path by what it carried and by checks; what was not measured is absent. */
export interface HealthReport {
  /**
   * `closed`: it is used. `open`: it fails, and is not used until it works again. `half-open`: on trial. Absent before anything is known.
   */
  readonly breaker?: BreakerState
  /** Milliseconds until the far end answered, recent attempts counting more. */
  readonly latencyMs?: number
  /** Share of attempts that worked, from 0 to 1, recent ones counting more. */
  readonly reliability?: number
  /** Attempts that were counted. */
  readonly succeeded?: number
  readonly failed?: number
  /** When the last of them was over (ISO 8601). */
  readonly checkedAt?: string
}

/** One network of a published tunnel. */
export interface NetworkHealth extends HealthReport {
  readonly backend: string
  /** How far the tunnel is there: not wanted now, being started, usable, out of order, not to be started. */
  readonly state: LegState
}

/** The counters of an endpoint or path for people and programs. */
export function countsOf(
  { succeeded, failed, observedMsAgo }: HealthFigures,
  clock: Pick<Clock, 'now'>,
): Pick<HealthReport, 'succeeded' | 'failed' | 'checkedAt'> {
  if (observedMsAgo === undefined) return {}
  return { succeeded, failed, checkedAt: new Date(clock.now() - observedMsAgo).toISOString() }
}

/** What the publisher's own checks have measured. */
export function healthOf(figures: HealthFigures, clock: Pick<Clock, 'now'>): Omit<HealthReport, 'breaker'> {
  const { ttfbMs, successRate } = figures
  return {
    ...(ttfbMs === undefined ? {} : { latencyMs: round(ttfbMs, 1) }),
    ...(successRate === undefined ? {} : { reliability: round(successRate, 3) }),
    ...countsOf(figures, clock),
  }
}

/** A figure without digits that mean nothing. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
