/** Time as the core sees it, so that tests can hold it still. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds since the epoch (may jump when the machine's clock is set). */
  now(): number
  /** Milliseconds from an arbitrary start (never jumps back). */
  monotonic(): number
  /** Calls `fn` once after `ms`; the returned function cancels it. The timer does not keep the process alive when `unref` is true. */
  after(ms: number, fn: () => void, options?: { unref?: boolean }): () => void
  /** Calls `fn` every `ms` until the returned function is called. Never keeps the process alive. */
  every(ms: number, fn: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn, options) {
    const timer = setTimeout(fn, ms)
    if (options?.unref === true) timer.unref()
    return () => clearTimeout(timer)
  },
  every(ms, fn) {
    const timer = setInterval(fn, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
}

/** Waits `ms`, or rejects with the signal's reason as soon as it fires. */
export function sleep(ms: number, options: { signal?: AbortSignal | undefined; clock?: Clock } = {}): Promise<void> {
  const { signal, clock = systemClock } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    function onAbort(): void {
      cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
