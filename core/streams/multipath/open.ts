import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { allFailed, isBeamError } from '../../errors.ts'
import { Dialling, type Route } from './dialling.ts'
import { MultipathStream, type MultipathEvents } from './multipath-stream.ts'
import { encodePreamble, FIRST_WINDOW_BYTES, newStreamId, type Verdict } from './preamble.ts'
import { QuietWatch } from './quiet-watch.ts'
import type { WindowBudget } from './window-budget.ts'

/** What is to be opened. */
export interface OpenMultipath extends Pick<MultipathEvents, 'onPath'> {
  readonly routes: readonly Route[]
  readonly clock: Clock
  readonly budget: WindowBudget
  readonly signal?: AbortSignal
}

/** How long a stream without any path tries to get one: slow networks need as long for a path through other relays. */
const ALONE_MS = 30_000
/** What routes that worked before have to themselves: three round trips, and this long at least. */
const HEAD_START = { leastMs: 250, roundTrips: 3 } as const

/**
 * Opens one stream over several routes: all that worked when they were last tried are dialled at once, the first that is there carries it, and
 * the others join as they come. A route that is lost is dialled again as long as the stream lives.
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
  readonly #dialling: Dialling
  readonly #watch: QuietWatch
  /** Why each route failed, as long as none is open. */
  readonly #failures = new Map<Route, unknown>()
  #isOpen = false
  #triedAll = false
  #opened: (() => void) | undefined
  #failed: ((error: unknown) => void) | undefined
  #cancelAlone: (() => void) | undefined
  #cancelHeadStart: (() => void) | undefined

  constructor(setup: OpenMultipath) {
    this.#setup = setup
    const { routes, clock, budget, onPath } = setup
    const ended = new AbortController()
    this.stream = new MultipathStream({
      clock,
      budget,
      // Told before it grants anything: as much as everybody grants at first.
      peerWindowBytes: FIRST_WINDOW_BYTES,
      ...(onPath === undefined ? {} : { onPath }),
      onAlone: () => this.#onAlone(),
    })
    this.#dialling = new Dialling(routes, {
      clock,
      signal: ended.signal,
      events: {
        opened: (route, inner, closed) => this.#onOpen(route, inner, closed),
        failed: (route, error) => this.#onFailed(route, error),
      },
    })
    this.#watch = new QuietWatch({
      clock,
      heardAtMs: () => this.stream.heardAtMs,
      patienceMs: () => this.stream.patienceMs,
      // Without any path there is nobody to ask, and everything is being dialled already.
      wanted: () => !this.#dialling.complete && this.stream.paths.length > 0,
      ask: () => this.stream.ask(),
      onQuiet: () => this.#dialling.hurry(),
    })
    this.stream.once('close', () => {
      this.#cancelAlone?.()
      this.#cancelHeadStart?.()
      this.#watch.stop()
      ended.abort(new Error('the stream ended'))
    })
  }

  open(signal: AbortSignal | undefined): Promise<MultipathStream> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#opened = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve(this.stream)
      }
      this.#failed = (error) => {
        signal?.removeEventListener('abort', onAbort)
        reject(error)
      }
      this.#dialling.start()
      if (this.#dialling.waiting) this.#giveHeadStart()
    })
  }

  /** Routes that did not work before are left alone while another one answers in time. */
  #giveHeadStart(): void {
    const { routes, clock } = this.#setup
    const roundTrips = routes.map(({ rttMs, isDown }) => (isDown === true ? 0 : (rttMs ?? 0)))
    const ms = Math.max(HEAD_START.leastMs, HEAD_START.roundTrips * Math.max(...roundTrips))
    this.#cancelHeadStart = clock.after(ms, () => this.#dialling.hurry(), { unref: true })
  }

  #onOpen(route: Route, inner: Duplex, closed: (livedMs: number) => void): void {
    const { clock, budget } = this.#setup
    let takenAtMs: number | undefined
    inner.write(encodePreamble({ kind: 'stream', id: this.#id, windowBytes: budget.share() }))
    this.stream.addPath(inner, route.label, {
      answerTo: this.#id,
      onAnswer: (verdict) => {
        if (verdict === 'yes') takenAtMs = clock.monotonic()
        this.#onAnswer(route, verdict)
      },
      onClosed: () => {
        closed(takenAtMs === undefined ? 0 : clock.monotonic() - takenAtMs)
        this.#watch.start()
      },
      ...(route.rttMs === undefined ? {} : { initialRttMs: route.rttMs }),
    })
    this.#isOpen = true
    this.#opened?.()
    if (!this.#dialling.complete) this.#watch.start()
  }

  /** The stream cannot be opened when every route has failed. Those that did not work before have their turn when all others have. */
  #onFailed(route: Route, error: unknown): void {
    if (this.#isOpen) return
    const { routes } = this.#setup
    this.#failures.set(route, error)
    const tried = routes.filter(({ isDown }) => isDown !== true)
    if (this.#failures.size === routes.length) {
      if (routes.length === 1 && isBeamError(error)) this.#failed?.(error)
      else
        this.#failed?.(allFailed(`No path could be opened (${routes.map(({ label }) => label).join(', ')}).`, [...this.#failures.values()]))
    } else if (!this.#triedAll && tried.every((one) => this.#failures.has(one))) {
      this.#triedAll = true
      this.#dialling.hurry()
    }
  }

  #onAnswer(route: Route, verdict: Verdict | undefined): void {
    if (verdict === 'yes') {
      this.#cancelAlone?.()
      this.#cancelAlone = undefined
      this.#cancelHeadStart?.()
      this.#setup.onPath?.(route.label, 'open')
    } else if (verdict === 'complete' && this.stream.finish()) {
      // What was left to know arrived with the answer.
    } else if ((verdict === 'no' || verdict === 'complete') && this.stream.paths.length <= 1) {
      this.stream.destroy(new Error('the far end has ended the stream'))
    }
  }

  /** No path is left. Whichever works again is wanted now, however often it failed before. */
  #onAlone(): void {
    // A path that was opened meanwhile and not taken changes nothing.
    if (this.#cancelAlone !== undefined) return
    this.#cancelAlone = this.#setup.clock.after(ALONE_MS, () => this.stream.destroy(new Error('all paths were lost')), { unref: true })
    this.#dialling.hurry()
  }
}
