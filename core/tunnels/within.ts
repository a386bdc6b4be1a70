import { systemClock, type Clock } from '../clock.ts'
import { TimeoutError } from '../errors.ts'

/** What `within` may be given. */
export interface WithinOptions<T> {
  readonly ms: number
  /** What was waited for, as the error names it. */
  readonly what: string
  readonly clock?: Clock
  /** Ends the wait early with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Takes a result that comes after the wait has ended, so that it can be given back. */
  readonly onLate?: (value: T) => void
}

/**
 * Waits for foreign code that may never answer, or may not heed its signal. The code goes on; nobody waits for it any more.
 * @throws TimeoutError naming what was waited for, or the signal's reason.
 */
export function within<T>(work: Promise<T>, { ms, what, clock = systemClock, signal, onLate }: WithinOptions<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let waiting = true
    const cancel = clock.after(ms, () => giveUp(new TimeoutError(`${what} took longer than ${ms / 1000} s.`)))
    const onAbort = (): void => giveUp(signal?.reason)
    function settle(): boolean {
      const first = waiting
      waiting = false
      cancel()
      signal?.removeEventListener('abort', onAbort)
      return first
    }
    function giveUp(reason: unknown): void {
      if (settle()) reject(reason)
    }
    work.then(
      (value) => (settle() ? resolve(value) : onLate?.(value)),
      (error: unknown) => giveUp(error),
    )
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
