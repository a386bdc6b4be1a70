import type { Endpoint, EndpointState, NetworkBackend, Progress, TunnelEvent, TunnelInfo, TunnelOptions } from '../backend.ts'
import { backoffDelayMs } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import { BackendUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { BackendHandle } from './backend-handle.ts'
import { withReveals } from './exposure.ts'
import type { LegState, LegView } from './strategy.ts'
import { within } from './within.ts'

/** Publishing on a network that runs takes up to a minute on the slower ones (building circuits, uploading descriptors); two is none. */
const START_LIMIT_MS = 120_000
/** Stopping is local work, and a process that was asked to end has five seconds for all of it; who cannot do it in two is left behind. */
const STOP_LIMIT_MS = 2_000
/** How often a running tunnel is looked after, in case its backend lost it without a word. */
const CHECK_EVERY_MS = 5_000
/** The contract gives `getStatus` one second; a loaded machine gets two. */
const STATUS_LIMIT_MS = 2_000
/** Answers that may be missed in a row before the backend counts as lost: one or two may be a busy event loop. */
const MAX_MISSED_CHECKS = 3
/** Waits between attempts to bring a leg up again. */
const RETRY = { baseMs: 1_000, maxMs: 60_000 }
/** Addresses of one tunnel on one network: a few per interface at most. More is a fault of the backend. */
const MAX_ENDPOINTS = 64

/** What a leg tells its tunnel. */
export interface LegEvents {
  /** Its state or an endpoint changed. */
  changed(): void
  progress(progress: Progress): void
  /** An address is known for the first time. */
  address(address: string): void
  endpoint(endpoint: Endpoint, reason: string): void
  warning(code: string, message: string): void
  /** An attempt to start failed. */
  failed(error: unknown): void
}

/** What a leg is made of. */
export interface LegSetup {
  readonly handle: BackendHandle
  readonly port: number
  /** Everything for `startTunnel` but the events and the signal. */
  readonly options: TunnelOptions & { readonly id: string }
  readonly clock: Clock
  readonly logger: Logger
  readonly events: LegEvents
}

/** A tunnel that a backend carries. */
interface Carried {
  readonly backend: NetworkBackend
  /** The tunnel's id there. */
  readonly id: string
  /** Aborted when the tunnel is given up: nothing that the backend still says of it counts. */
  readonly attempt: AbortController
}

/** One tunnel on one backend: starts it, looks after it, starts it again when it was lost, stops it. */
export class Leg {
  readonly handle: BackendHandle
  readonly #setup: LegSetup
  #state: LegState = 'idle'
  #since: number
  #wasUp = false
  #endpoints = new Map<string, Endpoint>()
  /** Ends the present run (from `start` to `stop`). */
  #run: AbortController | undefined
  #carried: Carried | undefined
  /** Ends the checks of a running tunnel, or the wait for the next attempt. */
  #cancelTimer: (() => void) | undefined
  #retries = 0
  #missedChecks = 0

  constructor(setup: LegSetup) {
    this.#setup = setup
    this.handle = setup.handle
    this.#since = setup.clock.monotonic()
  }

  get name(): string {
    return this.handle.name
  }

  /** As strategies see it. */
  view(): LegView {
    return { state: this.#state, sinceMs: this.#setup.clock.monotonic() - this.#since, wasUp: this.#wasUp }
  }

  get running(): boolean {
    return this.#run !== undefined
  }

  endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()]
  }

  /** Brings the leg up and keeps it up, in the background. Harmless when it runs. */
  start(): void {
    if (this.#run !== undefined) return
    this.#run = new AbortController()
    if (this.#state === 'idle') this.#become('starting')
    void this.#attempt(this.#run.signal)
  }

  /** Ends the leg. Never rejects; a backend that does not answer is left behind after two seconds. */
  async stop(): Promise<void> {
    this.#run?.abort(new BackendUnavailableError('The tunnel was stopped.'))
    this.#run = undefined
    this.#cancelTimer?.()
    const carried = this.#carried
    this.#carried = undefined
    this.#endpoints.clear()
    if (this.#state !== 'failed') this.#become('idle')
    if (carried !== undefined) await this.#withdraw(carried)
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { port, options, clock } = this.#setup
    // Fires with the run, and when the attempt took too long: what the backend still does for it is to end.
    const attempt = new AbortController()
    const onEnd = (): void => attempt.abort(signal.reason)
    signal.addEventListener('abort', onEnd, { once: true })
    try {
      const onProgress = (progress: Progress): void => {
        if (!signal.aborted) this.#setup.events.progress(progress)
      }
      const backend = await this.handle.ready({ signal, onProgress })
      signal.throwIfAborted()
      const onEvent = (event: TunnelEvent): void => {
        if (!signal.aborted && !attempt.signal.aborted) this.#onEvent(event)
      }
      const info = await within(backend.startTunnel(port, { ...options, signal: attempt.signal, onEvent }), {
        ms: this.handle.startLimitMs ?? START_LIMIT_MS,
        what: `Starting the tunnel on ${this.name}`,
        clock,
        signal,
        onLate: ({ id }) => void this.#withdraw({ backend, id }),
      })
      // The end may come between the answer and here.
      if (signal.aborted) await this.#withdraw({ backend, id: info.id })
      else this.#onStarted({ backend, id: info.id, attempt }, info, signal)
    } catch (error) {
      attempt.abort(error)
      if (!signal.aborted) this.#onFailed(error, signal)
    } finally {
      signal.removeEventListener('abort', onEnd)
    }
  }

  #onStarted(carried: Carried, info: TunnelInfo, signal: AbortSignal): void {
    this.#carried = carried
    this.#retries = 0
    this.#missedChecks = 0
    const before = this.#endpoints
    this.#endpoints = new Map()
    for (const endpoint of info.endpoints.slice(0, MAX_ENDPOINTS)) {
      const named = withReveals(endpoint, this.handle)
      if (!before.has(named.address)) this.#setup.events.address(named.address)
      this.#endpoints.set(named.address, named)
      if (named.state !== 'down') this.#setup.events.endpoint(named, `${this.name} carries the tunnel`)
    }
    this.#updateState()
    this.#cancelTimer?.()
    this.#cancelTimer = this.#setup.clock.every(CHECK_EVERY_MS, () => void this.#check(carried, signal))
  }

  #onFailed(error: unknown, signal: AbortSignal): void {
    this.#setup.events.failed(error)
    this.#become(this.#wasUp ? 'down' : 'failed')
    this.#retryLater(signal)
  }

  #retryLater(signal: AbortSignal): void {
    const waitMs = RETRY.baseMs + backoffDelayMs(this.#retries, RETRY)
    this.#retries += 1
    this.#cancelTimer?.()
    // Not unref'd: a tunnel that waits for its network keeps the process alive as a running one does.
    this.#cancelTimer = this.#setup.clock.after(waitMs, () => void this.#attempt(signal))
  }

  #onEvent(event: TunnelEvent): void {
    const { events } = this.#setup
    switch (event.type) {
      case 'progress':
        events.progress(event)
        break
      case 'warning':
        events.warning(event.code, event.message)
        break
      case 'address':
        if (this.#remember(event.address, 'announcing')) events.address(event.address)
        break
      case 'state':
        this.#remember(event.address, event.state, event.reason)
        break
    }
  }

  /** Notes the state of an endpoint; true when the address is new. */
  #remember(address: string, state: EndpointState, reason?: string): boolean {
    const known = this.#endpoints.get(address)
    if (known === undefined && this.#endpoints.size >= MAX_ENDPOINTS) return false
    const endpoint = withReveals({ backend: this.name, address, reveals: known?.reveals ?? [], state }, this.handle)
    this.#endpoints.set(address, endpoint)
    if (reason !== undefined && this.#carried !== undefined && known?.state !== state) {
      this.#setup.events.endpoint(endpoint, reason)
      this.#updateState()
    }
    return known === undefined
  }

  /** A leg is out of order when every endpoint of it is. */
  #updateState(): void {
    const endpoints = this.endpoints()
    const down = endpoints.length > 0 && endpoints.every(({ state }) => state === 'down')
    if (!down) this.#wasUp = true
    this.#become(down ? 'down' : 'up')
  }

  /** Asks the backend whether it still carries the tunnel. */
  async #check(carried: Carried, signal: AbortSignal): Promise<void> {
    const lost = await this.#lost(carried)
    if (lost === undefined || signal.aborted || this.#carried !== carried) return
    this.#cancelTimer?.()
    this.#carried = undefined
    carried.attempt.abort(new BackendUnavailableError(lost))
    for (const endpoint of this.endpoints()) {
      const down: Endpoint = { ...endpoint, state: 'down' }
      this.#endpoints.set(endpoint.address, down)
      if (endpoint.state !== 'down') this.#setup.events.endpoint(down, lost)
    }
    this.#become('down')
    await this.#withdraw(carried)
    if (!signal.aborted) this.#retryLater(signal)
  }

  /** Why the tunnel is lost; undefined when it is not. */
  async #lost({ backend, id }: Carried): Promise<string | undefined> {
    try {
      const work = backend.getStatus()
      const status = await within(work, { ms: STATUS_LIMIT_MS, what: `The status of ${this.name}`, clock: this.#setup.clock })
      this.#missedChecks = 0
      if (status.state === 'failed' || status.state === 'stopped') return status.message ?? `${this.name} ${status.state}`
      return status.tunnels.some((tunnel) => tunnel.id === id) ? undefined : `${this.name} no longer carries the tunnel`
    } catch (error) {
      this.#missedChecks += 1
      return this.#missedChecks < MAX_MISSED_CHECKS ? undefined : `${this.name} does not answer: ${(error as Error).message}`
    }
  }

  async #withdraw({ backend, id }: Pick<Carried, 'backend' | 'id'>): Promise<void> {
    try {
      await within(backend.stopTunnel(id), { ms: STOP_LIMIT_MS, what: `Stopping the tunnel on ${this.name}`, clock: this.#setup.clock })
    } catch (error) {
      this.#setup.logger.warn('tunnel not stopped', { backend: this.name, reason: (error as Error).message })
    }
  }

  #become(state: LegState): void {
    if (state !== this.#state) {
      this.#state = state
      this.#since = this.#setup.clock.monotonic()
    }
    this.#setup.events.changed()
  }
}
