/**
 * How a tunnel uses several networks: pure decisions over the states of its legs (one leg = the tunnel on one backend). The publisher asks
 * again whenever a state changes, starts what is wanted and stops the rest; nothing here waits or remembers.
 */
import { DEFAULT_HEALTH } from './health-settings.ts'

/** How backends are chosen for a tunnel. */
export type Strategy = 'priority' | 'fallback' | 'load-balance' | 'multipath'

/** The strategies, in the order in which help texts list them. */
export const STRATEGIES: readonly Strategy[] = ['priority', 'fallback', 'load-balance', 'multipath']

/**
 * How far a leg is: not begun; being started for the first time; usable; out of order after it was usable (it is being repaired); not to
 * be started (it is tried again from time to time while it is wanted).
 */
export type LegState = 'idle' | 'starting' | 'up' | 'down' | 'failed'

/** A leg as a strategy sees it. */
export interface LegView {
  readonly state: LegState
  /** Milliseconds since it came into this state. */
  readonly sinceMs: number
  /** Whether it was up at least once. */
  readonly wasUp: boolean
  /** How often it went down since it last was up for long. */
  readonly falls: number
}

/** What is to be done now. */
export interface Decision {
  /** Indexes of the legs that are to run; all others are stopped. */
  readonly want: ReadonlySet<number>
  /** Index of the leg that visitors are to use, when one is usable. */
  readonly primary?: number
  /** Ask again after this many milliseconds, even if nothing changes. */
  readonly againMs?: number
}

/** How slow `fallback` is to move. */
export interface Hysteresis {
  /** How long a leg may be down before the next one is started, in milliseconds. */
  readonly failAfterMs: number
  /** How long a better leg must have been up before the lower one is stopped, in milliseconds; twice as long with each further fall. */
  readonly recoverAfterMs: number
}

/** A leg that falls again and again waits at most so long for its return (longer only where the user wants it): it may have been mended. */
const MAX_RECOVER_MS = 480_000

/** A decision over the legs of one tunnel, best first. */
export type Decide = (legs: readonly LegView[]) => Decision

/** Whether a strategy uses several networks at the same time. */
export function usesAllAtOnce(strategy: Strategy): boolean {
  return strategy === 'load-balance' || strategy === 'multipath'
}

/** The decision function of a strategy. `multipath` differs from `load-balance` in what visitors do with the endpoints, not in which there are. */
export function strategyOf(strategy: Strategy, hysteresis: Hysteresis = DEFAULT_HEALTH): Decide {
  switch (strategy) {
    case 'priority':
      return decidePriority
    case 'fallback':
      return (legs) => decideFallback(legs, hysteresis)
    case 'load-balance':
    case 'multipath':
      return decideAll
  }
}

/** The best leg that starts, then no move. */
function decidePriority(legs: readonly LegView[]): Decision {
  const settled = legs.findIndex((leg) => leg.wasUp)
  const chosen = settled >= 0 ? settled : legs.findIndex((leg) => leg.state !== 'failed')
  if (chosen < 0) return { want: new Set() }
  return { want: new Set([chosen]), ...(legs[chosen]?.state === 'up' ? { primary: chosen } : {}) }
}

/** All legs at once; the first that is up speaks for them. */
function decideAll(legs: readonly LegView[]): Decision {
  const primary = legs.findIndex((leg) => leg.state === 'up')
  return { want: new Set(legs.keys()), ...(primary >= 0 ? { primary } : {}) }
}

/**
 * The best leg that works. Everything above it stays wanted, so that its recovery is noticed; everything below is stopped.
 * A lower leg that carries the tunnel is kept until a better one has proved itself.
 */
function decideFallback(legs: readonly LegView[], { failAfterMs, recoverAfterMs }: Hysteresis): Decision {
  const carrier = legs.findLastIndex((leg) => leg.state === 'up')
  const waits: number[] = []
  const bottom = legs.findIndex((leg, index) => {
    const replaced = index < carrier
    switch (leg.state) {
      case 'idle':
      case 'starting':
        return !replaced
      case 'failed':
        return false
      case 'up':
        if (!replaced || leg.sinceMs >= trialMs(leg, recoverAfterMs)) return true
        waits.push(trialMs(leg, recoverAfterMs) - leg.sinceMs)
        return false
      case 'down':
        if (replaced || leg.sinceMs >= failAfterMs) return false
        waits.push(failAfterMs - leg.sinceMs)
        return true
    }
  })
  const last = bottom < 0 ? legs.length - 1 : bottom
  const primary = legs.findLastIndex((leg, index) => index <= last && leg.state === 'up')
  return {
    want: new Set(Array.from({ length: last + 1 }, (_, index) => index)),
    ...(primary >= 0 ? { primary } : {}),
    ...(waits.length > 0 ? { againMs: Math.min(...waits) } : {}),
  }
}

/** Whether a leg works again, and is not trusted yet: `fallback` does not move back to it. */
export function isOnTrial(leg: LegView, strategy: Strategy, { recoverAfterMs }: Hysteresis): boolean {
  return strategy === 'fallback' && leg.state === 'up' && leg.falls > 0 && leg.sinceMs < trialMs(leg, recoverAfterMs)
}

/** How long a better leg is watched before it takes the tunnel back. One that flaps is trusted later each time. */
function trialMs({ falls }: LegView, recoverAfterMs: number): number {
  return Math.min(recoverAfterMs * 2 ** Math.min(Math.max(0, falls - 1), 10), Math.max(recoverAfterMs, MAX_RECOVER_MS))
}
