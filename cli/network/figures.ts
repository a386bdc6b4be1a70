import type { Place } from './answers.ts'

/** The value below which a share of all values lies (nearest rank); undefined when there are none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]
}

/** How often each text occurs, the most frequent first. */
export function shares(texts: readonly string[]): ReadonlyArray<{ readonly of: string; readonly count: number }> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].map(([of, count]) => ({ of, count })).toSorted((a, b) => b.count - a.count || (a.of < b.of ? -1 : 1))
}

/** The round trip that two places foretell, in milliseconds. */
export function distanceMs(a: Place, b: Place): number {
  return Math.hypot(...a.position.map((value, axis) => value - (b.position[axis] ?? 0))) + a.height + b.height
}

/** Bands of distance, for lists. */
const BANDS = [10, 30, 100, 300] as const

/** The band that a round trip falls into. */
export function bandOf(ms: number): string {
  const most = BANDS.find((band) => ms < band)
  return most === undefined ? `${BANDS.at(-1)} ms and more` : `below ${most} ms`
}
