import { randomBytes } from 'node:crypto'
import {
  backoffDelayMs,
  BackendUnavailableError,
  isBeamError,
  sleep,
  UnsupportedError,
  type BeamError,
  type Clock,
  type EndpointState,
  type Logger,
  type TunnelEvent,
} from '../../../../core/index.ts'
import { parseCircuits } from '../control/circuits.ts'
import { refusedWith } from '../control/control-error.ts'
import type { DaemonSession } from '../daemon/session.ts'
import type { Supervisor, SupervisorEvent } from '../daemon/supervisor.ts'
import { waitForNetwork } from '../daemon/wait-for-network.ts'
import type { Flavour } from '../flavour.ts'
import { generateClientKeyPair, type ClientKeyPair } from '../keys/client-key.ts'
import { expandedKey, type OnionKey } from '../keys/onion-key.ts'
import { addOnion, nobodysKey } from './onion-command.ts'
import type { OnionPublishOptions } from './publish-options.ts'
import { reachService } from './self-check.ts'

/** Uploading a descriptor takes two to ten seconds once circuits are there; after a minute and a half it will not come by waiting. */
const UPLOAD_LIMIT_MS = 90_000
/** How long a new service may be out of reach although its descriptor is uploaded, before it is published anew. */
const FIRST_REACH_LIMIT_MS = 90_000
/** Between the first checks of a new service. */
const CHECK_SOON = { baseMs: 500, maxMs: 5_000 }
/** Between checks of a service that works: often enough to notice what visitors would complain about, seldom enough to be no load. */
const CHECK_EVERY_MS = 600_000
/** Checks that fail in a row, and the time between them, before a service counts as out of reach. */
const MAX_FAILED_CHECKS = 3
const CHECK_AGAIN_MS = 10_000
/** Waits before a service that could not be published is published anew. */
const RETRY = { baseMs: 2_000, maxMs: 120_000 }
/** Attempts of a first start; in a chain another network then has its turn. */
const MAX_FIRST_ATTEMPTS = 3
/** Every so many failures in a row the daemon itself is replaced, when it is ours: its circuits or its view of the network may be at fault. */
const REPLACE_DAEMON_AFTER = 4

/** What a service is made of. */
export interface ServiceSetup {
  readonly flavour: Flavour
  readonly supervisor: Supervisor
  readonly clock: Clock
  readonly logger: Logger
  readonly key: OnionKey
  /** Where the daemon passes visitors on, asked at each publishing. */
  readonly targets: () => Promise<ReadonlyArray<{ readonly port: number; readonly target: string }>>
  /** Who may visit, asked at each publishing; undefined = everybody. */
  readonly clients: () => Promise<readonly string[] | undefined>
  readonly options: OnionPublishOptions
  readonly nonAnonymous: boolean
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
  #uploaded = false
  #first: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  #running: Promise<void> | undefined
  /** Ends the present publishing so that the next one begins. */
  #republish: AbortController | undefined
  /** Ends the wait before the next check. */
  #checkNow: () => void = () => {}
  #checkKey: ClientKeyPair | undefined
  #unsubscribe: () => void = () => {}
  #waits: Array<{ readonly on: (action: string, reason: string | undefined) => void }> = []
  #failures = 0
  #attempts = 0

  constructor(setup: ServiceSetup) {
    this.#setup = setup
  }

  get state(): EndpointState {
    return this.#state
  }

  /** Whether the network holds its descriptor, as far as the daemon says. */
  get published(): boolean {
    return this.#uploaded
  }

  get id(): string {
    return this.#setup.key.id
  }

  get ports(): readonly number[] {
    return this.#setup.options.ports.map(({ port }) => port)
  }

  /**
   * Publishes it; resolves when it was reached through the network (or, without a check, when the descriptor is uploaded).
   * @throws BackendUnavailableError, ConfigError, UnsupportedError; the signal's reason
   */
  async start(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    this.#unsubscribe = this.#setup.supervisor.subscribe((event) => this.#on(event))
    let onAbort = (): void => {}
    try {
      await new Promise<void>((resolve, reject) => {
        this.#first = { resolve, reject }
        onAbort = () => reject(signal?.reason)
        signal?.addEventListener('abort', onAbort, { once: true })
        this.#running = this.#run()
      })
    } catch (error) {
      await this.stop()
      throw error
    } finally {
      this.#first = undefined
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Publishes it anew, for example because other visitors may come in now. Those that are connected are let go when `cut` is true. */
  async renew({ cut }: { readonly cut: boolean }): Promise<void> {
    const { session } = this.#setup.supervisor
    this.#republish?.abort(new Error('the service is published anew'))
    if (cut && session !== undefined) await this.#closeStreams(session)
  }

  /** Withdraws it and ends its streams; harmless when repeated. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#ended.abort(new BackendUnavailableError('The tunnel was stopped.'))
    this.#republish?.abort(this.#ended.signal.reason)
    await this.#running
  }

  #on(event: SupervisorEvent): void {
    if (event.type === 'descriptor' && event.id === this.id) {
      for (const wait of this.#waits) wait.on(event.action, event.reason)
    } else if (event.type === 'lost') {
      this.#uploaded = false
      this.#become('down', event.reason.message)
    } else if (event.type === 'woke') {
      this.#checkNow()
    } else if (event.type === 'network') {
      const { network, session } = this.#setup.supervisor
      if (session === undefined || network.bootstrap.percent < 100) return
      if (network.live === false) this.#become('down', `${this.#setup.flavour.title} does not answer at present.`)
      // What worked before the break is looked at before it is called up again.
      else if (this.#state === 'down') this.#checkNow()
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
    const { clock, logger } = this.#setup
    const ended = this.#ended.signal
    while (!ended.aborted) {
      const session = await this.#nextSession()
      if (session === undefined) return
      const round = (this.#republish = new AbortController())
      void session.lost.then((reason) => round.abort(reason))
      if (ended.aborted) round.abort(ended.reason)
      try {
        await this.#publishOn(session, round.signal)
      } catch (error) {
        if (!round.signal.aborted) this.#onFailed(error)
      }
      round.abort()
      if (this.#setup.supervisor.session === session) await this.#withdraw(session, ended.aborted)
      if (ended.aborted || this.#failures === 0) continue
      logger.debug('the service is published anew', { attempt: this.#failures })
      if (this.#failures % REPLACE_DAEMON_AFTER === 0 && session.mode === 'own')
        await this.#setup.supervisor.replace('a service stays out of reach')
      await sleep(backoffDelayMs(this.#failures - 1, RETRY), { clock, signal: ended }).catch(() => {})
    }
  }

  /** The daemon, as soon as there is one; undefined when the service was stopped before. */
  async #nextSession(): Promise<DaemonSession | undefined> {
    const { supervisor } = this.#setup
    const ended = this.#ended.signal
    if (supervisor.session !== undefined) return supervisor.session
    return new Promise((resolve) => {
      const settle = (session: DaemonSession | undefined): void => {
        unsubscribe()
        ended.removeEventListener('abort', onAbort)
        resolve(session)
      }
      const onAbort = (): void => settle(undefined)
      const unsubscribe = supervisor.subscribe((event) => {
        if (event.type === 'session') settle(event.session)
      })
      ended.addEventListener('abort', onAbort, { once: true })
    })
  }

  #onFailed(error: unknown): void {
    this.#failures += 1
    this.#attempts += 1
    const message = error instanceof Error ? error.message : String(error)
    this.#setup.logger.debug('publishing failed', { reason: message })
    const final = isBeamError(error) && error.retry === 'never'
    if (
      this.#first !== undefined &&
      (final || this.#attempts >= MAX_FIRST_ATTEMPTS || (isBeamError(error) && error.code === 'BEAM_ERR_BOOTSTRAP'))
    ) {
      this.#first.reject(error)
      this.#ended.abort(error)
      return
    }
    this.#become('down', message)
    this.#progress('publishing', `Publishing again: ${message}`)
  }

  /** One round: add, wait for the upload, check, look after it. Ends by an error, or when the round's signal fires. */
  async #publishOn(session: DaemonSession, signal: AbortSignal): Promise<void> {
    const { supervisor, flavour, clock, stallMs, options, onEvent } = this.#setup
    this.#uploaded = false
    const upload = this.#upload()
    const ports = await this.#add(session)
    await waitForNetwork({
      supervisor,
      flavour,
      clock,
      signal,
      stallMs: this.#first === undefined ? undefined : stallMs,
      onProgress: (progress) => onEvent({ type: 'progress', ...progress }),
      onStalled: (message) => onEvent({ type: 'warning', code: 'BEAM_WARN_STALLED', message }),
    })
    if (!this.#uploaded) this.#progress('publishing', 'Publishing the onion service: building circuits and uploading its descriptor.')
    await upload.wait(signal)
    this.#progress('published', 'The descriptor is uploaded; checking that the service can be reached.')
    const checks = options.selfCheck && session.socks !== undefined
    if (checks) await this.#firstReach(session, ports, signal)
    this.#failures = 0
    this.#become('active', checks ? `it was reached through ${flavour.title}` : 'its descriptor is uploaded')
    this.#first?.resolve()
    await this.#lookAfter(session, ports, checks, signal)
  }

  async #add(session: DaemonSession): Promise<readonly number[]> {
    const { key, options, nonAnonymous } = this.#setup
    const [ports, clients] = await Promise.all([this.#setup.targets(), this.#clients(session)])
    const line = addOnion({ key: expandedKey(key), ports, clients, options, nonAnonymous })
    // Adding a service that is there makes the daemon log a fault of its own, so one that others use is asked first.
    if (session.mode === 'attached' && (await this.#isPresent(session))) throw await this.#collision(session)
    try {
      await session.control.command(line)
    } catch (error) {
      if (refusedWith(error, 550)) throw await this.#collision(session)
      if (refusedWith(error, 512) && options.pow !== undefined && /keyword|argument/i.test(error.message)) {
        throw new UnsupportedError('This daemon has no proof-of-work defence for services of this kind.', {
          hint: 'Update it, or leave pow out.',
          cause: error,
        })
      }
      throw error
    }
    return ports.map(({ port }) => port)
  }

  /** The visitors' keys; when there are any, a throw-away one of our own goes with them, so that we can check the service. */
  async #clients(session: DaemonSession): Promise<readonly string[] | undefined> {
    const clients = await this.#setup.clients()
    if (clients === undefined) return undefined
    const checks = this.#setup.options.selfCheck && session.socks !== undefined
    if (!checks) return clients.length > 0 ? clients : [nobodysKey(this.id)]
    this.#checkKey = generateClientKeyPair()
    await session.control.command(`ONION_CLIENT_AUTH_ADD ${this.id} x25519:${this.#checkKey.privateKey}`)
    return [...clients, this.#checkKey.publicKey]
  }

  async #isPresent({ control }: DaemonSession): Promise<boolean> {
    const lists = await Promise.all(['onions/current', 'onions/detached'].map((key) => control.getInfo(key).catch(() => '')))
    return lists.some((list) => list.split('\n').includes(this.id))
  }

  async #collision({ control }: DaemonSession): Promise<BackendUnavailableError> {
    const current = await control.getInfo('onions/current')
    const ours = current.split('\n').includes(this.id)
    // One of this connection is ours, from a round that did not end well.
    if (ours) await control.command(`DEL_ONION ${this.id}`)
    return new BackendUnavailableError('This onion service is published already, by another program that uses the same daemon.', {
      code: 'BEAM_ERR_NAME_IN_USE',
      retry: ours ? 'now' : 'never',
      hint: 'End that one first, or choose another name with --name.',
    })
  }

  /** Hears of the upload from now on, also while nobody waits yet. */
  #upload(): { readonly wait: (signal: AbortSignal) => Promise<void> } {
    let told: () => void = () => {}
    let lastFailure: string | undefined
    const entry = {
      on: (action: string, reason: string | undefined): void => {
        if (action === 'FAILED') lastFailure = reason
        if (action !== 'UPLOADED' || this.#uploaded) return
        this.#uploaded = true
        told()
      },
    }
    this.#waits = [entry]
    const wait = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (this.#uploaded) return resolve()
        const settle = (act: () => void): void => {
          cancel()
          signal.removeEventListener('abort', onAbort)
          act()
        }
        const onAbort = (): void => settle(() => reject(signal.reason))
        const cancel = this.#setup.clock.after(UPLOAD_LIMIT_MS, () => settle(() => reject(notUploaded(lastFailure))))
        told = () => settle(resolve)
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      })
    return { wait }
  }

  async #firstReach(session: DaemonSession, ports: readonly number[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#setup
    const limit = clock.monotonic() + FIRST_REACH_LIMIT_MS
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#reach(session, ports, signal)
      if (failure === undefined) return
      if (clock.monotonic() > limit) throw outOfReach(failure)
      if (attempt > 0) this.#progress('published', `Published, but not reached yet: ${failure.message}`)
      await sleep(CHECK_SOON.baseMs + backoffDelayMs(attempt, CHECK_SOON), { clock, signal })
    }
  }

  async #lookAfter(session: DaemonSession, ports: readonly number[], checks: boolean, signal: AbortSignal): Promise<void> {
    for (let failed = 0; ;) {
      await this.#pause(failed === 0 ? CHECK_EVERY_MS : CHECK_AGAIN_MS, signal)
      const { network } = this.#setup.supervisor
      // Without a network a check would only say so, and publishing anew would not help.
      if (!network.up) continue
      const failure = checks ? await this.#reach(session, ports, signal) : undefined
      if (failure === undefined) {
        failed = 0
        this.#become('active', 'it was reached again')
      } else if (failure.kind !== 'unavailable') {
        failed += 1
        if (failed >= MAX_FAILED_CHECKS) throw outOfReach(failure)
      }
    }
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        cancel()
        signal.removeEventListener('abort', onAbort)
        this.#checkNow = () => {}
        act()
      }
      const onAbort = (): void => settle(() => reject(signal.reason))
      const cancel = this.#setup.clock.after(ms, () => settle(resolve), { unref: true })
      this.#checkNow = () => settle(resolve)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #reach(session: DaemonSession, ports: readonly number[], signal: AbortSignal): Promise<BeamError | undefined> {
    const { flavour, clock, supervisor } = this.#setup
    // A circuit of its own each time: one that happens to be there would say nothing of the next visitor's.
    const user = { user: `beam-check-${randomBytes(9).toString('hex')}`, password: 'onion' }
    return reachService({
      session,
      flavour,
      host: `${this.id}.${flavour.suffix}`,
      ports,
      user,
      networkUp: supervisor.network.up,
      clock,
      signal,
    })
  }

  /** Takes it from the daemon. Visitors that are connected stay so unless it is for good: the daemon leaves their circuits alone. */
  async #withdraw(session: DaemonSession, forGood: boolean): Promise<void> {
    const { control } = session
    this.#waits = []
    await control.command(`DEL_ONION ${this.id}`).catch(() => {})
    if (this.#checkKey !== undefined) await control.command(`ONION_CLIENT_AUTH_REMOVE ${this.id}`).catch(() => {})
    this.#checkKey = undefined
    if (forGood) await this.#closeStreams(session).catch(() => {})
  }

  async #closeStreams({ control }: DaemonSession): Promise<void> {
    const circuits = parseCircuits(await control.getInfo('circuit-status'))
    const ours = circuits.filter(({ purpose, service }) => purpose === 'HS_SERVICE_REND' && service === this.id)
    await Promise.all(ours.map(({ id }) => control.command(`CLOSECIRCUIT ${id}`).catch(() => {})))
  }
}

function notUploaded(reason: string | undefined): BackendUnavailableError {
  const why = reason === undefined ? '' : ` The directories answered ${reason}.`
  return new BackendUnavailableError(`The onion service’s descriptor could not be uploaded within ${UPLOAD_LIMIT_MS / 1000} s.${why}`, {
    code: 'BEAM_ERR_BACKEND_UNAVAILABLE',
    hint: 'The network may be slow or overloaded; Beam tries again.',
  })
}

function outOfReach(cause: BeamError): BackendUnavailableError {
  return new BackendUnavailableError(`The onion service is published, but cannot be reached: ${cause.message}`, { cause })
}
