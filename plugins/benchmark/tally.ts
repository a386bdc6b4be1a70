/** How attempts ended. */
export class Tally {
  attempted = 0
  succeeded = 0
  timeouts = 0
  /** The rest, by what went wrong: `ECONNRESET`, `wrong bytes`, … */
  readonly failures = new Map<string, number>()

  /** Counts an attempt. */
  count(outcome: Outcome): void {
    this.attempted += 1
    if (outcome.kind === 'done') this.succeeded += 1
    else if (outcome.kind === 'timeout') this.timeouts += 1
    else this.failures.set(outcome.reason, (this.failures.get(outcome.reason) ?? 0) + 1)
  }

  /** Takes in what another tally has. */
  add(other: Tally): void {
    this.attempted += other.attempted
    this.succeeded += other.succeeded
    this.timeouts += other.timeouts
    for (const [reason, count] of other.failures) this.failures.set(reason, (this.failures.get(reason) ?? 0) + count)
  }
}

/** How one attempt ended. Times in milliseconds, from the attempt's beginning. */
export type Outcome =
  | { readonly kind: 'done'; readonly firstByteMs: number; readonly totalMs: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'failed'; readonly reason: string }
