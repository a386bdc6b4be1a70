import type { Duplex } from 'node:stream'
import { backoffDelayMs } from '../../backoff.ts'
import type { Clock } from '../../clock.ts'
import { allFailed, isBeamError } from '../../errors.ts'
import { MultipathStream, type MultipathEvents } from './multipath-stream.ts'
import { encodePreamble, FIRST_WINDOW_BYTES, newStreamId } from './preamble.ts'
import type { WindowBudget } from './window-budget.ts'

/** A way that can be opened again and again. */
export interface Route {
  /** Unlike those of the other routes of the stream. */
  readonly label: string
  dial(options: { readonly signal: AbortSignal }): Promise<Duplex>
  /** Round trip that is known already, in milliseconds. */
  readonly rttMs?: number | undefined
}

/** What is to be opened. */
export interface OpenMultipath extends Pick<MultipathEvents, 'onPath'> {
  readonly routes: readonly Route[]
  readonly clock: Clock
  readonly budget: WindowBudget
  readonly signal?: AbortSignal
}

/** Waits between attempts to have a lost path again. */
const RETRY = { baseMs: 500, maxMs: 15_000 }
/** How long the stream waits for any path when it has none: as long as the far end does. */
const REJOIN_MS = 10_000

/**
 * Opens one stream over several routes: all are dialled at once, the first that is there carries it, and the others join as they come. A
 * route that is lost is dialled again as long as the stream lives.
 * @throws UnreachableError when no route can be opened; the error of the only one; the signal's reason.
 */
export async function openMultipath(setup: OpenMultipath): Promise<MultipathStream> {
  setup.signal?.throwIfAborted()
  const visitor = new VisitorEnd(setup)
  try {
    return await visitor.open(setup.signal)
  } catch (error) {
    visitor.stream.destroy(error as Error)
    throw error
  }
}

class VisitorEnd {
  readonly stream: MultipathStream
  readonly #setup: OpenMultipath
  readonly #id = newStreamId()
  readonly #ended = new AbortController()
  readonly #attempts = new Map<Route, number>()
  /** Routes that are to be dialled later; each can be dialled at once. */
  readonly #waiting = new Set<() => void>()
  /** Whether the far end took a path: from then on a refusal means that the stream is gone there. */
  #known = false
  #cancelAlone: (() => void) | undefined

  constructor(setup: OpenMultipath) {
    this.#setup = setup
    const { clock, budget, onPath } = setup
    this.stream = new MultipathStream({
      clock,
      budget,
      // Told before it grants anything: as much as everybody grants at first.
      peerWindowBytes: FIRST_WINDOW_BYTES,
      ...(onPath === undefined ? {} : { onPath }),
      onAlone: () => this.#onAlone(),
    })
    this.stream.once('close', () => {
      this.#cancelAlone?.()
      this.#ended.abort(new Error('the stream ended'))
    })
  }

  open(signal: AbortSignal | undefined): Promise<MultipathStream> {
    const { routes } = this.#setup
    return new Promise((resolve, reject) => {
      const failures: unknown[] = []
      const onAbort = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      const settled = (): void => signal?.removeEventListener('abort', onAbort)
      for (const route of routes) {
        this.#join(route).then(
          () => {
            settled()
            resolve(this.stream)
          },
          (error: unknown) => {
            if (failures.push(error) < routes.length) return
            settled()
            const [only] = failures
            if (failures.length === 1 && isBeamError(only)) reject(only)
            else reject(allFailed(`No path could be opened (${routes.map(({ label }) => label).join(', ')}).`, failures))
          },
        )
      }
    })
  }

  async #join(route: Route): Promise<void> {
    const { signal } = this.#ended
    let inner: Duplex
    try {
      inner = await route.dial({ signal })
    } catch (error) {
      this.#again(route)
      throw error
    }
    if (signal.aborted) {
      inner.destroy()
      return
    }
    inner.on('error', () => {})
    inner.once('close', () => this.#again(route))
    inner.write(encodePreamble({ kind: 'stream', id: this.#id, windowBytes: this.#setup.budget.share() }))
    this.stream.addPath(inner, route.label, {
      answerTo: this.#id,
      onAnswer: (accepted) => this.#onAnswer(route, accepted),
      ...(route.rttMs === undefined ? {} : { initialRttMs: route.rttMs }),
    })
  }

  #onAnswer(route: Route, accepted: boolean | undefined): void {
    if (accepted === true) {
      this.#known = true
      this.#cancelAlone?.()
      this.#cancelAlone = undefined
      this.#attempts.delete(route)
    } else if (accepted === false && this.#known && this.stream.paths.length <= 1) {
      this.stream.destroy(new Error('the far end has ended the stream'))
    }
  }

  /** Dials a lost route again, later. */
  #again(route: Route): void {
    const { signal } = this.#ended
    if (signal.aborted) return
    const attempt = this.#attempts.get(route) ?? 0
    this.#attempts.set(route, attempt + 1)
    const waited = (): void => {
      signal.removeEventListener('abort', cancel)
      this.#waiting.delete(hurry)
      this.#join(route).catch(() => {})
    }
    const cancel = this.#setup.clock.after(backoffDelayMs(attempt, RETRY), waited, { unref: true })
    const hurry = (): void => {
      cancel()
      waited()
    }
    this.#waiting.add(hurry)
    signal.addEventListener('abort', cancel, { once: true })
  }

  /** No path is left. Whichever works again is wanted now, however often it failed before. */
  #onAlone(): void {
    this.#attempts.clear()
    for (const hurry of [...this.#waiting]) hurry()
    this.#cancelAlone ??= this.#setup.clock.after(REJOIN_MS, () => this.stream.destroy(new Error('all paths were lost')), { unref: true })
  }
}
