import { backoffDelayMs } from '../../backoff.ts'

/** How often a path is probed. */
export interface ProbeRhythm {
  /** Mean distance between probes of a path that works, in milliseconds. */
  readonly everyMs: number
  /** A number in [0, 1); tests pass their own. */
  readonly random?: () => number
}

/**
 * Share of the distance by which a probe may come earlier or later: probes of many Beams that started together (after a power cut, by a
 * timer) spread over half a period from the first one on, and an observer finds no exact rhythm.
 */
const JITTER = 0.25
/** Bound of the wait before a failure is looked at again: a moment's trouble is over by then. It grows, up to the usual distance. */
const RECHECK_BASE_MS = 2_000
/** Shortest distance of two probes: a path that refuses at once is not hammered. */
const MIN_DISTANCE_MS = 500

/**
 * How long to wait before the next probe, in milliseconds: while the path works, the usual distance with jitter; after failures first
 * soon, so that a false alarm is known as one, then ever later, with full jitter. Pure.
 */
export function nextProbeMs(failuresInARow: number, { everyMs, random = Math.random }: ProbeRhythm): number {
  if (failuresInARow === 0) return Math.max(MIN_DISTANCE_MS, Math.round(everyMs * (1 - JITTER + 2 * JITTER * random())))
  const maxMs = Math.max(MIN_DISTANCE_MS, everyMs)
  return MIN_DISTANCE_MS + backoffDelayMs(failuresInARow - 1, { baseMs: Math.min(RECHECK_BASE_MS, maxMs), maxMs, random })
}
