/** Middle value; the mean of the two middle ones for an even number. NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** Value below which `share` (0 to 1) of the values lie, by nearest rank. NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

/** What a table shows of several rounds. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  /** Rounds that gave a value. */
  readonly rounds: number
}

/** Summary of one figure over its rounds; rounds without a value (`undefined`) are left out. */
export function summarize(values: readonly (number | undefined)[]): Summary {
  const present = values.filter((value) => value !== undefined)
  return { median: median(present), min: Math.min(...present), max: Math.max(...present), rounds: present.length }
}

/**
 * Ratios of the same round, so that what else the machine did at that minute weighs on both sides. Rounds in which either has no value
 * are left out.
 */
export function ratios(values: readonly (number | undefined)[], reference: readonly (number | undefined)[]): number[] {
  return values.flatMap((value, round) => {
    const other = reference[round]
    return value === undefined || other === undefined || other === 0 ? [] : [value / other]
  })
}

/** Standard score of a two-sided 95 % interval. */
const Z95 = 1.96

/**
 * Between which shares the true share of successes lies with 95 % confidence (Wilson's score interval): unlike the plain share it says
 * something for few attempts and for none that failed.
 */
export function wilsonInterval(succeeded: number, attempted: number): readonly [low: number, high: number] {
  if (attempted === 0) return [0, 1]
  const share = succeeded / attempted
  const z2 = Z95 ** 2 / attempted
  const middle = (share + z2 / 2) / (1 + z2)
  const half = (Z95 / (1 + z2)) * Math.sqrt((share * (1 - share)) / attempted + z2 / (4 * attempted))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}

/** Whether two figures differ by more than their rounds scatter: the ranges of the rounds do not meet. */
export function isApart(a: Summary, b: Summary): boolean {
  return a.rounds > 0 && b.rounds > 0 && (a.max < b.min || b.max < a.min)
}
