/** How long to wait between attempts. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds. */
  readonly baseMs: number
  /** Upper bound of any wait, in milliseconds. */
  readonly maxMs: number
  /** A number in [0, 1); tests pass their own. */
  readonly random?: () => number
}

/**
 * Exponential backoff with full jitter: the wait before attempt `n` (from 0) is uniform between 0 and `min(maxMs, baseMs * 2^n)`,
 * so that many clients of one failed peer do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function backoffDelayMs(attempt: number, { baseMs, maxMs, random = Math.random }: BackoffOptions): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
  return Math.floor(random() * ceiling)
}
