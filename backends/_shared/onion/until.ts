/**
 * A promise that something outside settles, or the signal's reason rejects. `begin` is told how to settle it and answers with how to stop
 * listening; that is called once, whatever happens first.
 */
export function until<T>(
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    let settled = false
    let stop = (): void => {}
    const settle = (act: () => void): void => {
      if (settled) return
      settled = true
      signal.removeEventListener('abort', onAbort)
      stop()
      act()
    }
    const onAbort = (): void => settle(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    stop = begin(
      (value) => settle(() => resolve(value)),
      (reason) => settle(() => reject(reason)),
    )
    // It may have been settled while it began.
    if (settled) stop()
  })
}
