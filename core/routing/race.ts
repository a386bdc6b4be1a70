import { systemClock, type Clock } from '../clock.ts'

/** One of several ways to the same result. */
export interface Contender<T> {
  /** Begins; the signal fires when another one has won or all is over. */
  run(signal: AbortSignal): Promise<T>
  /** How long it has before the next one begins as well, in milliseconds. */
  readonly headStartMs: number
  /** Takes a result that came too late, so that it can be given back. */
  onLate(value: T): void
  /** The next one began although this one had not failed. */
  onOvertaken?(): void
}

/** What a race may be given. */
export interface RaceOptions {
  readonly clock?: Clock
  readonly signal?: AbortSignal | undefined
  /** Whether an error ends the race: the others would fail in the same way. */
  readonly isFinal?: (error: unknown) => boolean
}

/**
 * Tries ways one after another without waiting for each to give up: the next one begins when the one before has failed or has used up its
 * head start (RFC 8305 section 5 does so with addresses). The first that succeeds wins, and the others are called off.
 * @throws AggregateError of all failures in the order of the contenders, a final error alone, or the signal's reason.
 */
export function race<T>(contenders: ReadonlyArray<Contender<T>>, { clock = systemClock, signal, isFinal }: RaceOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const runs: AbortController[] = []
    const failures: unknown[] = []
    let begun = 0
    let failed = 0
    let over = false
    let cancelNext: (() => void) | undefined
    const onAbort = (): void => end(() => reject(signal?.reason))

    function end(then: () => void, winner?: AbortController): void {
      if (over) return
      over = true
      cancelNext?.()
      signal?.removeEventListener('abort', onAbort)
      for (const run of runs) if (run !== winner) run.abort(signal?.reason ?? new Error('another way was faster'))
      then()
    }

    function begin(): void {
      cancelNext?.()
      cancelNext = undefined
      const index = begun
      const contender = contenders[index]
      if (over || contender === undefined) return
      begun += 1
      const run = new AbortController()
      runs.push(run)
      let settled = false
      contender.run(run.signal).then(
        (value) => {
          settled = true
          if (over) contender.onLate(value)
          else end(() => resolve(value), run)
        },
        (error: unknown) => {
          settled = true
          if (over) return
          if (isFinal?.(error) === true) return end(() => reject(error))
          failures[index] = error
          failed += 1
          if (failed === contenders.length) end(() => reject(new AggregateError(failures, 'every way failed')))
          else if (begun === index + 1) begin()
        },
      )
      if (begun < contenders.length) {
        cancelNext = clock.after(contender.headStartMs, () => {
          if (!settled) contender.onOvertaken?.()
          begin()
        })
      }
    }

    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (contenders.length === 0) return end(() => reject(new AggregateError([], 'there is no way')))
    begin()
  })
}
