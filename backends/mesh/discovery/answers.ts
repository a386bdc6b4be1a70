/** Where a source puts what it finds. */
export interface Sink<T> {
  push(value: T): void
  /** No more will come. */
  end(): void
}

/** How long and how much is listened for. */
export interface AnswerLimits {
  /** Ends the answers (without an error). */
  readonly signal: AbortSignal
  /** Ends them after this many: whoever answers is a stranger, so nobody may answer for ever. */
  readonly limit: number
}

/**
 * Turns callbacks into an iteration. `start` is called when somebody begins to listen; what it returns is called when nobody listens any
 * more, for whatever reason.
 */
export async function* answers<T>({ signal, limit }: AnswerLimits, start: (sink: Sink<T>) => () => void): AsyncGenerator<T, void> {
  if (signal.aborted) return
  const waiting: T[] = []
  let accepted = 0
  let ended = false
  let wake = (): void => {}
  const end = (): void => {
    ended = true
    wake()
  }
  const push = (value: T): void => {
    if (ended) return
    waiting.push(value)
    accepted += 1
    if (accepted >= limit) ended = true
    wake()
  }
  signal.addEventListener('abort', end, { once: true })
  const stop = start({ push, end })
  try {
    for (;;) {
      const next = waiting.shift()
      if (next !== undefined) yield next
      else if (ended) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    ended = true
    signal.removeEventListener('abort', end)
    stop()
  }
}
