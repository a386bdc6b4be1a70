import { setMaxListeners } from 'node:events'
import { backoffDelayMs, BackendUnavailableError, type BackendState, type Clock, type Logger } from '../../../../core/index.ts'
import type { Message } from '../control/reply.ts'
import { parseFields } from '../control/fields.ts'
import { NetworkState } from './network-state.ts'
import type { DaemonSession } from './session.ts'

/** Waits between attempts to have a daemon again, and how long it must have worked for the count to start anew. */
const RETRY = { baseMs: 1_000, maxMs: 60_000 }
const STABLE_AFTER_MS = 60_000
/** How often the daemon is asked for a sign of life: a daemon that is stuck is noticed after this and the limit of one command. */
const HEARTBEAT_MS = 15_000
/** A heartbeat that comes so much too late was not late: the machine slept. */
const SLEPT_MS = 45_000
/** What Beam listens to. Events of circuits are not among it: they come by the hundred. */
const EVENTS = ['STATUS_CLIENT', 'STATUS_GENERAL', 'HS_DESC', 'NETWORK_LIVENESS', 'STREAM'] as const

/** What happens to a daemon and its network. */
export type SupervisorEvent =
  | { readonly type: 'session'; readonly session: DaemonSession }
  | { readonly type: 'lost'; readonly reason: Error }
  /** `NetworkState` changed. */
  | { readonly type: 'network' }
  /** Something happened to a descriptor: `UPLOADED`, `FAILED`, … */
  | { readonly type: 'descriptor'; readonly action: string; readonly id: string; readonly reason: string | undefined }
  /** Something happened to a stream; the text of the event. */
  | { readonly type: 'stream'; readonly text: string }
  /** The machine was asleep. */
  | { readonly type: 'woke' }

/** What a supervisor is made of. */
export interface SupervisorSetup {
  /** Starts a daemon, or attaches to one. */
  readonly open: (signal: AbortSignal) => Promise<DaemonSession>
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps one daemon usable: opens it, listens to it, and opens it again when it was lost, with backoff and full jitter. */
export class Supervisor {
  readonly #setup: SupervisorSetup
  readonly #listeners = new Set<(event: SupervisorEvent) => void>()
  readonly #ended = new AbortController()
  #network = new NetworkState()
  #session: DaemonSession | undefined
  #state: BackendState = 'idle'
  #message: string | undefined
  #starting: Promise<void> | undefined
  #attempt = 0
  #openedAt = 0
  #cancelTimer: () => void = () => {}

  constructor(setup: SupervisorSetup) {
    this.#setup = setup
    setMaxListeners(0, this.#ended.signal)
  }

  get state(): BackendState {
    if (this.#state === 'running' && !this.#network.up) return this.#network.bootstrap.percent === 100 ? 'degraded' : 'starting'
    return this.#state
  }

  /** Why it is as it is, for people. */
  get message(): string | undefined {
    const { bootstrap, obstacle, live } = this.#network
    if (this.#message !== undefined) return this.#message
    if (this.#session === undefined) return undefined
    if (obstacle !== undefined) return `${obstacle.message} ${obstacle.advice}`
    if (bootstrap.percent < 100) return `${bootstrap.percent} %: ${bootstrap.summary}`
    return live === false ? 'The network does not answer at present.' : undefined
  }

  get session(): DaemonSession | undefined {
    return this.#session
  }

  get network(): NetworkState {
    return this.#network
  }

  /** Fires when the supervisor is closed. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Hears what happens until the returned function is called. */
  subscribe(listener: (event: SupervisorEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The first start. Repeating it waits for the same one; after a failure it begins anew. */
  start(): Promise<void> {
    if (this.#ended.signal.aborted) return Promise.reject(this.#ended.signal.reason)
    this.#starting ??= this.#start()
    return this.#starting
  }

  /** Ends a daemon that does not work any more, so that a new one takes its place. */
  async replace(reason: string): Promise<void> {
    this.#setup.logger.warn('the daemon is replaced', { reason })
    await this.#session?.close()
  }

  /** Ends it for good, within two seconds. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return
    this.#state = 'stopping'
    this.#ended.abort(new BackendUnavailableError('The backend was stopped.'))
    this.#cancelTimer()
    this.#listeners.clear()
    await this.#session?.close()
    this.#session = undefined
    this.#message = undefined
    // A start that is under way ends by the signal, and takes back what it did.
    await this.#starting?.catch(() => {})
    this.#state = 'stopped'
  }

  async #start(): Promise<void> {
    this.#state = 'starting'
    try {
      await this.#open()
    } catch (error) {
      this.#starting = undefined
      if (!this.#ended.signal.aborted) {
        this.#state = 'failed'
        this.#message = (error as Error).message
      }
      throw error
    }
  }

  async #open(): Promise<void> {
    const { open, clock } = this.#setup
    const session = await open(this.#ended.signal)
    try {
      this.#ended.signal.throwIfAborted()
      const network = new NetworkState()
      session.control.onEvent((event) => this.#onEvent(event, network))
      await this.#listen(session)
      network.applyPhase(await session.control.getInfo('status/bootstrap-phase'))
      network.circuitEstablished = (await session.control.getInfo('status/circuit-established')) === '1'
      this.#ended.signal.throwIfAborted()
      this.#network = network
    } catch (error) {
      await session.close()
      throw error
    }
    this.#session = session
    this.#openedAt = clock.monotonic()
    this.#state = 'running'
    this.#message = undefined
    this.#heartbeat(session)
    void session.lost.then((reason) => this.#onLost(session, reason))
    this.#tell({ type: 'session', session })
    this.#tell({ type: 'network' })
  }

  /** Older daemons, and filters before the control port, do not know or allow every event. */
  async #listen({ control }: DaemonSession): Promise<void> {
    try {
      await control.command(`SETEVENTS ${EVENTS.join(' ')}`)
    } catch {
      await control.command('SETEVENTS STATUS_CLIENT HS_DESC')
    }
  }

  #onEvent(event: Message, network: NetworkState): void {
    const { text } = event.lines[0]
    if (text.startsWith('HS_DESC ')) {
      const { words, pairs } = parseFields(text)
      const [, action = '', id = ''] = words
      this.#tell({ type: 'descriptor', action, id, reason: pairs['REASON'] })
    } else if (text.startsWith('STREAM ')) {
      this.#tell({ type: 'stream', text })
    } else if (network.apply(event) && network === this.#network) this.#tell({ type: 'network' })
  }

  #heartbeat(session: DaemonSession): void {
    const { clock } = this.#setup
    this.#cancelTimer()
    let last = clock.now()
    this.#cancelTimer = clock.every(HEARTBEAT_MS, () => {
      const now = clock.now()
      const slept = now - last > HEARTBEAT_MS + SLEPT_MS
      last = now
      // The connection fails by itself when no answer comes.
      session.control.getInfo('uptime').catch(() => {})
      if (!slept) return
      if (session.mode === 'own') session.control.command('SIGNAL ACTIVE').catch(() => {})
      this.#tell({ type: 'woke' })
    })
  }

  #onLost(session: DaemonSession, reason: Error): void {
    if (this.#session !== session || this.#ended.signal.aborted) return
    const { clock, logger } = this.#setup
    this.#cancelTimer()
    this.#session = undefined
    this.#network = new NetworkState()
    this.#state = 'degraded'
    this.#message = reason.message
    logger.warn('the daemon was lost', { reason: reason.message })
    if (clock.monotonic() - this.#openedAt > STABLE_AFTER_MS) this.#attempt = 0
    this.#tell({ type: 'lost', reason })
    this.#again()
  }

  #again(): void {
    const { clock, logger } = this.#setup
    const waitMs = backoffDelayMs(this.#attempt, RETRY)
    this.#attempt += 1
    this.#cancelTimer = clock.after(waitMs, () => {
      this.#starting = this.#open().catch((error: unknown) => {
        if (this.#ended.signal.aborted) return
        this.#message = (error as Error).message
        logger.warn('the daemon cannot be had again yet', { reason: this.#message })
        this.#again()
      })
    })
  }

  #tell(event: SupervisorEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
