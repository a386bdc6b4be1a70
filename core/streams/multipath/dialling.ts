import type { Duplex } from 'node:stream'
import { backoffDelayMs } from '../../backoff.ts'
import type { Clock } from '../../clock.ts'

/** A way that can be opened again and again. */
export interface Route {
  /** Unlike those of the other routes of the stream. */
  readonly label: string
  dial(options: { readonly signal: AbortSignal }): Promise<Duplex>
  /** Round trip that is known already, in milliseconds. */
  readonly rttMs?: number | undefined
  /** It did not work when it was last tried: it is left alone while another one answers. */
  readonly isDown?: boolean
}

/** Waits between attempts to have a lost path again; with no path at all they stay short. */
const RETRY = { baseMs: 500, maxMs: 15_000, aloneMs: 3_000 } as const
/** A path that lived for so long is worth another dial soon; one that breaks again and again is not. */
const LIVED_MS = 5_000
/** As after so many failures is a route waited for that did not work before the stream began: seconds. */
const DOWN_FAILURES = 3
/**
 * A dial may hang in a network that was silent when it began and works again. When a path is needed now, one that has taken so long gets
 * another one beside it: most networks open a stream in less.
 */
const HANGS_MS = 3_000
const MAX_DIALS_AT_ONCE = 2
/** A path that broke is not dialled sooner than so long after it was: else a far end that hangs up at once would be dialled without end. */
const SPACING_MS = 100

/** What is told of dials. */
export interface DiallingEvents {
  /** A route is open. Who takes it says when the path is closed: then the route is dialled again, later. */
  opened(route: Route, inner: Duplex, closed: (livedMs: number) => void): void
  failed(route: Route, error: unknown): void
}

interface State {
  readonly route: Route
  dialling: number
  dialledAtMs: number
  open: number
  /** Failures in a row, and paths that broke soon. */
  failures: number
  /** Whether it was open before, and not only dialled in vain. */
  broke: boolean
  /** While it waits to be dialled: calls the wait off. */
  cancelWait: (() => void) | undefined
}

/** Dials the routes of one stream as long as it lives: each again when it failed or was lost, later each time. */
export class Dialling {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #events: DiallingEvents
  readonly #states: readonly State[]

  /** `signal`: fires when the stream has ended. */
  constructor(routes: readonly Route[], setup: { readonly clock: Clock; readonly signal: AbortSignal; readonly events: DiallingEvents }) {
    this.#clock = setup.clock
    this.#signal = setup.signal
    this.#events = setup.events
    this.#states = routes.map((route) => ({
      route,
      dialling: 0,
      dialledAtMs: -Infinity,
      open: 0,
      failures: 0,
      broke: false,
      cancelWait: undefined,
    }))
    setup.signal.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** Whether a route is neither open nor being dialled. */
  get waiting(): boolean {
    return this.#states.some(({ cancelWait }) => cancelWait !== undefined)
  }

  /** Whether every route is open. */
  get complete(): boolean {
    return this.#states.every(({ open }) => open > 0)
  }

  /** Dials all routes at once, apart from those that did not work before: they wait, unless there are no others. */
  start(): void {
    const down = this.#states.filter(({ route }) => route.isDown === true)
    if (down.length < this.#states.length) {
      for (const state of down) {
        state.failures = DOWN_FAILURES
        this.#again(state)
      }
    }
    for (const state of this.#states) if (state.cancelWait === undefined) this.#dial(state)
  }

  /** A path is needed now: what waits is dialled, however often it failed before, and what hangs is dialled once more. */
  hurry(): void {
    const now = this.#clock.monotonic()
    for (const state of this.#states) {
      const { cancelWait, dialling, dialledAtMs, open } = state
      const hangs = open === 0 && dialling > 0 && dialling < MAX_DIALS_AT_ONCE && now - dialledAtMs >= HANGS_MS
      if (cancelWait === undefined && !hangs) continue
      state.failures = 0
      const earlyMs = state.broke ? SPACING_MS - (now - dialledAtMs) : 0
      if (earlyMs > 0) this.#wait(state, earlyMs)
      else this.#dial(state)
    }
  }

  #dial(state: State): void {
    state.cancelWait?.()
    state.cancelWait = undefined
    state.dialling += 1
    state.dialledAtMs = this.#clock.monotonic()
    const { route } = state
    route.dial({ signal: this.#signal }).then(
      (inner) => {
        state.dialling -= 1
        inner.on('error', () => {})
        if (this.#signal.aborted) return void inner.destroy()
        state.open += 1
        this.#events.opened(route, inner, (livedMs) => {
          state.open -= 1
          state.broke = true
          state.failures = livedMs >= LIVED_MS ? 0 : state.failures + 1
          this.#again(state)
        })
      },
      (error: unknown) => {
        state.dialling -= 1
        state.broke = false
        state.failures += 1
        this.#again(state)
        if (!this.#signal.aborted) this.#events.failed(route, error)
      },
    )
  }

  /** Dials a route later, when nothing else is under way there. */
  #again(state: State): void {
    if (this.#signal.aborted || state.open > 0 || state.dialling > 0 || state.cancelWait !== undefined) return
    const { baseMs, maxMs, aloneMs } = RETRY
    const isAlone = this.#states.every(({ open }) => open === 0)
    const waitMs = backoffDelayMs(Math.max(0, state.failures - 1), { baseMs, maxMs: isAlone ? aloneMs : maxMs })
    this.#wait(state, waitMs)
  }

  #wait(state: State, ms: number): void {
    state.cancelWait?.()
    state.cancelWait = this.#clock.after(ms, () => this.#dial(state), { unref: true })
  }

  #stop(): void {
    for (const state of this.#states) {
      state.cancelWait?.()
      state.cancelWait = undefined
    }
  }
}
