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
