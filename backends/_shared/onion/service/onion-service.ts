import {
  backoffDelayMs,
  BackendUnavailableError,
  isBeamError,
  sleep,
  type EndpointState,
  type Logger,
  type TunnelEvent,
} from '../../../../core/index.ts'
import type { DaemonSession } from '../daemon/session.ts'
import type { Supervisor, SupervisorEvent } from '../daemon/supervisor.ts'
import { waitForNetwork } from '../daemon/wait-for-network.ts'
import type { Flavour } from '../flavour.ts'
import { until } from '../until.ts'
import { shutsOut, type Admitted } from './admitted.ts'
import { Announcement, type AnnouncementSetup } from './announcement.ts'
import { cutVisitors } from './cut-visitors.ts'
import { DescriptorUpload } from './descriptor-upload.ts'
import { OwnChecks } from './own-checks.ts'

/** Waits before a service that could not be published is published anew. */
const RETRY = { baseMs: 2_000, maxMs: 120_000 }
/** Attempts of a first start; in a chain another network then has its turn. */
const MAX_FIRST_ATTEMPTS = 3
/** Every so many failures in a row the daemon itself is replaced, when it is ours: its circuits or its view of the network may be at fault. */
const REPLACE_DAEMON_AFTER = 4

/** What a service is made of. */
export interface ServiceSetup extends AnnouncementSetup {
  readonly flavour: Flavour
  readonly supervisor: Supervisor
  readonly logger: Logger
  readonly stallMs: number
  /** The addresses that are shown. */
  readonly addresses: readonly string[]
  readonly onEvent: (event: TunnelEvent) => void
}

/** An onion service: published, checked, looked after, and published again whenever that is needed, always with the same key. */
export class OnionService {
  readonly #setup: ServiceSetup
  readonly #ended = new AbortController()
  #state: EndpointState = 'announcing'
  #first: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  #running: Promise<void> | undefined
  /** Ends the present round so that the next one begins. */
  #round: AbortController | undefined
  #session: DaemonSession | undefined
  /** Settles when the present round has taken back what it did. */
  #withdrawn: Promise<void> | undefined
  /** Who could come in so far. */
  #admitted: Admitted | undefined
  /** Whether the end of the present round is that of its visitors, too. */
  #cut = false
  #upload: DescriptorUpload | undefined
  readonly #checks: OwnChecks
  #unsubscribe: () => void = () => {}
  #failures = 0

  constructor(setup: ServiceSetup) {
    this.#setup = setup
    this.#checks = new OwnChecks({ ...setup, id: setup.key.id })
  }

  get state(): EndpointState {
    return this.#state
  }

  /** Whether the network holds its descriptor, as far as the daemon says. */
  get published(): boolean {
    return this.#upload?.done === true
  }

  get id(): string {
    return this.#setup.key.id
  }

  /** How long its check took that got through just now, in milliseconds. Undefined when there is none. */
  get justReachedMs(): number | undefined {
    return this.#state === 'active' ? this.#checks.justReachedMs : undefined
  }

  get ports(): readonly number[] {
    return this.#setup.options.ports.map(({ port }) => port)
  }

  /**
   * Publishes it; resolves when it was reached through the network (or, without a check, when the descriptor is uploaded).
   * @throws BackendUnavailableError, ConfigError, UnsupportedError; the signal's reason
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#unsubscribe = this.#setup.supervisor.subscribe((event) => this.#on(event))
    try {
      await until<void>(signal, (resolve, reject) => {
        this.#first = { resolve, reject }
        this.#running = this.#run()
        return () => (this.#first = undefined)
      })
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * Publishes it anew, because others may come in now. When somebody may come in no more, all streams are cut: whose they are cannot be known,
   * and his are among them.
   */
  async renew(): Promise<void> {
    const cut = this.#admitted !== undefined && shutsOut(this.#admitted, (await this.#setup.clients()) ?? 'everybody')
    this.#cut ||= cut
    this.#round?.abort(new Error('the service is published anew'))
    await this.#withdrawn
    this.#cut = false
    if (cut) await this.#cutRest()
  }

  /** Withdraws it and ends its streams; harmless when repeated. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#ended.abort(new BackendUnavailableError('The tunnel was stopped.'))
    this.#round?.abort(this.#ended.signal.reason)
    await this.#running
    await this.#cutRest()
  }

  /** Ends the streams of visitors who came while the service went, or stayed from a round before. */
  async #cutRest(): Promise<void> {
    const { session } = this.#setup.supervisor
    if (session !== undefined && session === this.#session) await cutVisitors(session.control, this.id, this.#setup.clock)
  }

  #on(event: SupervisorEvent): void {
    if (event.type === 'descriptor' && event.id === this.id) {
      this.#upload?.onEvent(event.action, event.reason)
    } else if (event.type === 'lost') {
      this.#upload = undefined
      this.#become('down', event.reason.message)
    } else if (event.type === 'woke') {
      this.#checks.hurry()
    } else if (event.type === 'network') {
      const { network, session } = this.#setup.supervisor
      if (session === undefined || network.bootstrap.percent < 100) return
      if (network.live === false) this.#become('down', `${this.#setup.flavour.title} does not answer at present.`)
      // What worked before the break is looked at before it is called up again.
      else if (this.#state === 'down') this.#checks.hurry()
    }
  }

  #become(state: EndpointState, reason: string): void {
    if (this.#state === state || (state === 'down' && this.#state === 'announcing')) return
    this.#state = state
    for (const address of this.#setup.addresses) this.#setup.onEvent({ type: 'state', address, state, reason })
  }

  #progress(phase: string, message: string): void {
    this.#setup.onEvent({ type: 'progress', phase, message })
  }

  /** Publishes again and again until it is stopped. */
  async #run(): Promise<void> {
    const { clock, logger, supervisor } = this.#setup
    const ended = this.#ended.signal
    while (!ended.aborted) {
      const session = await this.#nextSession().catch(() => undefined)
      if (session === undefined || ended.aborted) return
      this.#session = session
      await (this.#withdrawn = this.#oneRound(session))
      if (ended.aborted || this.#failures === 0) continue
      logger.debug('the service is published anew', { attempt: this.#failures })
      if (this.#failures % REPLACE_DAEMON_AFTER === 0 && session.mode === 'own') await supervisor.replace('a service stays out of reach')
      await sleep(backoffDelayMs(this.#failures - 1, RETRY), { clock, signal: ended }).catch(() => {})
    }
  }

  async #oneRound(session: DaemonSession): Promise<void> {
    const round = (this.#round = new AbortController())
    void session.lost.then((reason) => round.abort(reason))
    const announcement = new Announcement(session, this.#setup)
    try {
      await this.#publish(announcement, round.signal)
    } catch (error) {
      if (!round.signal.aborted) this.#onFailed(error)
    }
    round.abort()
    const cut = this.#cut || this.#ended.signal.aborted
    this.#cut = false
    if (this.#setup.supervisor.session === session) await announcement.withdraw({ cut })
  }

  /** The daemon, as soon as there is one. */
  #nextSession(): Promise<DaemonSession> {
    const { supervisor } = this.#setup
    return until(this.#ended.signal, (resolve) => {
      if (supervisor.session !== undefined) resolve(supervisor.session)
      return supervisor.subscribe((event) => {
        if (event.type === 'session') resolve(event.session)
      })
    })
  }

  #onFailed(error: unknown): void {
    this.#failures += 1
    const message = error instanceof Error ? error.message : String(error)
    this.#setup.logger.debug('publishing failed', { reason: message })
    const final = isBeamError(error) && (error.retry === 'never' || error.code === 'BEAM_ERR_BOOTSTRAP')
    if (this.#first !== undefined && (final || this.#failures >= MAX_FIRST_ATTEMPTS)) {
      this.#ended.abort(error)
      this.#first.reject(error)
      return
    }
    this.#become('down', message)
    this.#progress('publishing', `Publishing again: ${message}`)
  }

  /** One round: add, wait for the upload, check, look after it. Ends by an error, or when the round's signal fires. */
  async #publish(announcement: Announcement, signal: AbortSignal): Promise<void> {
    const { supervisor, flavour, clock, stallMs, onEvent } = this.#setup
    // It hears of the upload also while nobody waits yet.
    const upload = (this.#upload = new DescriptorUpload(clock, stallMs))
    const { ports, clients } = await announcement.add()
    this.#admitted = clients ?? 'everybody'
    await waitForNetwork({
      supervisor,
      flavour,
      clock,
      signal,
      stallMs: this.#first === undefined ? undefined : stallMs,
      onProgress: (progress) => onEvent({ type: 'progress', ...progress }),
      onStalled: (message) => onEvent({ type: 'warning', code: 'BEAM_WARN_STALLED', message }),
    })
    if (!upload.done) this.#progress('publishing', 'Publishing the onion service: building circuits and uploading its descriptor.')
    await upload.wait(signal)
    const checks = announcement.checkable
    this.#progress(
      'published',
      checks ? 'The descriptor is uploaded; checking that the service can be reached.' : 'The descriptor is uploaded.',
    )
    const checked = { session: announcement.session, ports, signal }
    if (checks)
      await this.#checks.first(checked, (failure) => this.#progress('published', `Published, but not reached yet: ${failure.message}`))
    else await upload.round(signal)
    this.#failures = 0
    this.#become('active', checks ? `it was reached through ${flavour.title}` : 'its descriptor is uploaded')
    this.#first?.resolve()
    const again = (): void => this.#become('active', 'it was reached again')
    await (checks ? this.#checks.later(checked, again) : this.#checks.blind(signal, again))
  }
}
