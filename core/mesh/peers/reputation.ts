/**
 * What a node thinks of another from its own experience: whether it was there (uptime), did what it granted (bandwidth) and told the truth
 * (honesty). Bounded, fading, and never told to anybody: what others say of a node is no experience.
 */

/** What was experienced. */
export type Experience = 'reached' | 'unreached' | 'kept' | 'broken' | 'lied'

/** Experience is worth half after three days: nodes change hands, and connections get better. */
const HALF_LIFE_MS = 3 * 86_400_000
/** No single experience counts for more than this many. A lie does: it is never an accident. */
const MAX_WEIGHT = 50
const WEIGHTS: Readonly<Record<Experience, { readonly good: number; readonly bad: number }>> = {
  reached: { good: 1, bad: 0 },
  unreached: { good: 0, bad: 1 },
  kept: { good: 2, bad: 0 },
  broken: { good: 0, bad: 3 },
  lied: { good: 0, bad: 20 },
}

/** What is thought of one node: plain numbers, to be kept in a file. */
export interface Reputation {
  readonly good: number
  readonly bad: number
  /** When it was last changed, in milliseconds since the epoch. */
  readonly at: number
}

/** Of whom nothing is known. */
export const STRANGER: Reputation = { good: 0, bad: 0, at: 0 }

/** The opinion after an experience at `now` (milliseconds since the epoch). */
export function experienced(reputation: Reputation, what: Experience, now: number): Reputation {
  const { good, bad } = faded(reputation, now)
  const weight = WEIGHTS[what]
  return { good: Math.min(MAX_WEIGHT, good + weight.good), bad: Math.min(MAX_WEIGHT, bad + weight.bad), at: now }
}

/** From 0 (never again) to 1 (always kept its word); 0.5 for a stranger. One success more than none, one failure more than none (Laplace). */
export function trust(reputation: Reputation, now: number): number {
  const { good, bad } = faded(reputation, now)
  return (good + 1) / (good + bad + 2)
}

function faded({ good, bad, at }: Reputation, now: number): { good: number; bad: number } {
  const factor = 2 ** (-Math.max(0, now - at) / HALF_LIFE_MS)
  return { good: good * factor, bad: bad * factor }
}
