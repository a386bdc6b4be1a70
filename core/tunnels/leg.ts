import type { Endpoint, EndpointState, NetworkBackend, Progress, TunnelEvent, TunnelInfo, TunnelOptions } from '../backend.ts'
import { backoffDelayMs } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import { BackendUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { BackendHandle } from './backend-handle.ts'
import { Carried, withdraw } from './carried.ts'
import { withReveals } from './exposure.ts'
import type { HealthSettings } from './health-settings.ts'
import { Reachability } from './reachability.ts'
import type { Verdict } from './self-check.ts'
import type { LegState, LegView } from './strategy.ts'
import { within } from './within.ts'

/** Publishing on a network that runs takes up to a minute on the slower ones (building circuits, uploading descriptors); two is none. */
const START_LIMIT_MS = 120_000
/** How often a running tunnel is looked after, in case its backend lost it without a word. */
const CHECK_EVERY_MS = 5_000
/** Waits between attempts to bring a leg up again. */
const RETRY = { baseMs: 1_000, maxMs: 60_000 }
/** Who was up for so long starts with a clean sheet when it falls. Longer than the longest trial of `fallback`, or nobody ever would. */
const CLEAN_SHEET_MS = 600_000
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
  readonly health: Required<HealthSettings>
  readonly clock: Clock
  readonly logger: Logger
  readonly events: LegEvents
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
  #falls = 0

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
    return { state: this.#state, sinceMs: this.#setup.clock.monotonic() - this.#since, wasUp: this.#wasUp, falls: this.#falls }
  }

  get running(): boolean {
    return this.#run !== undefined
  }

  /** Its addresses, each in the worse of the states that the backend and the self-check see. */
  endpoints(): readonly Endpoint[] {
    const known = [...this.#endpoints.values()]
    const reachability = this.#carried?.reachability
    return reachability === undefined ? known : known.map((one) => ({ ...one, state: reachability.stateOf(one.state) }))
  }

  /** The backend that carries the tunnel now, the tunnel's id there, and what is known of it. */
  get carried(): Pick<Carried, 'backend' | 'id' | 'reachability'> | undefined {
    return this.#carried
  }

  /** A visitor got through on this network. */
  proved(): void {
    this.#carried?.reachability.proved()
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
    const carried = this.#letGo()
    this.#endpoints.clear()
    if (this.#state !== 'failed') this.#become('idle')
    if (carried !== undefined) await withdraw(carried, this.#setup)
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
        onLate: ({ id }) => void withdraw({ backend, id }, this.#setup),
      })
      // The end may come between the answer and here.
      if (signal.aborted) await withdraw({ backend, id: info.id }, this.#setup)
      else this.#onStarted(backend, attempt, info, signal)
    } catch (error) {
      attempt.abort(error)
      if (!signal.aborted) this.#onFailed(error, signal)
    } finally {
      signal.removeEventListener('abort', onEnd)
    }
  }

  #onStarted(backend: NetworkBackend, attempt: AbortController, info: TunnelInfo, signal: AbortSignal): void {
    const { clock, health, options, events } = this.#setup
    const before = this.#endpoints
    this.#endpoints = new Map()
    for (const endpoint of info.endpoints.slice(0, MAX_ENDPOINTS)) {
      const named = withReveals(endpoint, this.handle)
      if (!before.has(named.address)) events.address(named.address)
      this.#endpoints.set(named.address, named)
    }
    let first = true
    const reachability = new Reachability({
      backend,
      capabilities: this.handle.capabilities,
      address: () => [...this.#endpoints.values()].find(({ state }) => state !== 'down')?.address,
      secret: options.access?.secret,
      health,
      afterFailure: this.#wasUp,
      clock,
      onVerdict: (verdict) => {
        this.#onVerdict(verdict, first)
        first = false
      },
      onWaiting: (message) => events.progress({ phase: 'self-check', message }),
      onNever: (why) => void this.#giveUp(carried, signal, why),
    })
    const carried = new Carried({ backend, id: info.id, attempt, reachability, clock })
    this.#carried = carried
    this.#cancelTimer?.()
    this.#cancelTimer = clock.every(CHECK_EVERY_MS, () => void this.#check(carried, signal))
    reachability.start()
  }

  #onVerdict({ works, reason, forMs }: Verdict, first: boolean): void {
    if (works) this.#retries = 0
    const why = works && first ? `${this.name} carries the tunnel` : reason
    for (const endpoint of this.#endpoints.values()) {
      if (endpoint.state !== 'down') this.#setup.events.endpoint({ ...endpoint, state: works ? endpoint.state : 'down' }, why)
    }
    this.#updateState(forMs)
  }

  /** The network took the tunnel, but nobody gets through to it. */
  async #giveUp(carried: Carried, signal: AbortSignal, why: string): Promise<void> {
    if (this.#carried !== carried || signal.aborted) return
    this.#letGo(why)
    for (const endpoint of this.#endpoints.values()) this.#endpoints.set(endpoint.address, { ...endpoint, state: 'down' })
    await withdraw(carried, this.#setup)
    const hint = 'Where a network cannot dial its own addresses from the same machine, switch the check off: health.selfCheck: false.'
    if (!signal.aborted) this.#onFailed(new BackendUnavailableError(why, { hint }), signal)
  }

  /** Nothing that is still said of the tunnel counts. */
  #letGo(why = 'The tunnel was stopped.'): Carried | undefined {
    const carried = this.#carried
    this.#carried = undefined
    this.#cancelTimer?.()
    carried?.reachability.stop()
    carried?.attempt.abort(new BackendUnavailableError(why))
    return carried
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
    const reachability = this.#carried?.reachability
    if (reason !== undefined && reachability !== undefined && known?.state !== state) {
      // What a check has found out is not outdone by the backend's word: it looks again.
      if (reachability.works) this.#setup.events.endpoint(endpoint, reason)
      // It looks also when the backend says that all is well again.
      if (!reachability.works || known?.state === 'down') reachability.hurry()
      this.#updateState()
    }
    return known === undefined
  }

  /** A leg is up once it was reached, and out of order when every endpoint of it is. `forMs`: how long it has been so. */
  #updateState(forMs = 0): void {
    if (this.#carried?.reachability.known !== true) return
    const endpoints = this.endpoints()
    const down = endpoints.length > 0 && endpoints.every(({ state }) => state === 'down')
    if (!down) this.#wasUp = true
    this.#become(down ? 'down' : 'up', forMs)
  }

  /** Asks the backend whether it still carries the tunnel. */
  async #check(carried: Carried, signal: AbortSignal): Promise<void> {
    const lost = await carried.lost()
    if (lost === undefined || signal.aborted || this.#carried !== carried) return
    const before = this.endpoints()
    this.#letGo(lost)
    for (const endpoint of before) {
      const down: Endpoint = { ...endpoint, state: 'down' }
      this.#endpoints.set(endpoint.address, down)
      if (endpoint.state !== 'down') this.#setup.events.endpoint(down, lost)
    }
    this.#become(this.#wasUp ? 'down' : 'failed')
    await withdraw(carried, this.#setup)
    if (!signal.aborted) this.#retryLater(signal)
  }

  #become(state: LegState, forMs = 0): void {
    if (state !== this.#state) {
      const now = this.#setup.clock.monotonic()
      if (this.#state === 'up' && state === 'down') this.#falls = now - this.#since >= CLEAN_SHEET_MS ? 1 : this.#falls + 1
      this.#state = state
      this.#since = now - forMs
    }
    this.#setup.events.changed()
  }
}
