import type { AccessPolicy, Endpoint, StreamHandler } from '../backend.ts'
import { systemClock, type Clock } from '../clock.ts'
import { BackendUnavailableError, InternalError, isBeamError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { silentLogger, type Logger } from '../logger.ts'
import { accessSentence, suitable, type Note } from './suitable.ts'
import type { BackendHandle } from './backend-handle.ts'
import type { PublishEvent, TunnelSnapshot } from './events.ts'
import { planExposure, type ExposurePlan } from './exposure.ts'
import { newTunnelId } from './ids.ts'
import { Leg } from './leg.ts'
import { LocalService, type ServiceTarget } from './local-service.ts'
import { strategyOf, usesAllAtOnce, type Decide, type Strategy } from './strategy.ts'

/** What is to be published, and how. */
export interface PublishSetup {
  readonly target: ServiceTarget
  /** Backends by preference; at least one. */
  readonly chain: readonly BackendHandle[]
  readonly strategy?: Strategy
  /** Permits networks that show the IP address beside networks that hide it. */
  readonly allowExposure?: boolean
  readonly id?: string
  readonly name?: string
  readonly domain?: string
  /** The service key, for backends that use one. */
  readonly identity?: Identity
  readonly access?: AccessPolicy
  /** Options for single networks, by the name of the backend. */
  readonly network?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Takes the visitors' streams instead of the local port. */
  readonly onStream?: StreamHandler
  /** Fail when nothing listens on the local port. */
  readonly requireService?: boolean
  readonly onEvent?: (event: PublishEvent) => void
  /** Ends the attempt to start; a started tunnel is not touched by it. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A published tunnel. */
export interface Tunnel extends AsyncDisposable {
  readonly id: string
  /** As it is now. */
  snapshot(): TunnelSnapshot
  /** Ends it; harmless when repeated. */
  stop(reason?: string): Promise<void>
}

/**
 * Publishes a local service through a chain of backends. Resolves when the first endpoint is up; after that a failure of a network is an
 * event, and the tunnel goes on trying until it is stopped.
 * @throws BeamError when no backend can carry it, when the choice of backends is refused, or (`requireService`) when nothing listens;
 *   the signal's reason when it fires. Nothing is left behind then.
 */
export async function publishTunnel(setup: PublishSetup): Promise<Tunnel> {
  const publisher = new Publisher(setup)
  await publisher.start(setup)
  return publisher
}

class Publisher implements Tunnel {
  readonly id: string
  readonly #setup: PublishSetup
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #service: LocalService | undefined
  readonly #decide: Decide
  /** Whether several networks carry the tunnel side by side, so that none takes over from another. */
  readonly #atOnce: boolean
  readonly #exposure: ExposurePlan
  readonly #notes: readonly Note[]
  #legs: readonly Leg[]
  #failures = new Map<string, unknown>()
  #primary: Leg | undefined
  #ready = false
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined
  #cancelAgain: (() => void) | undefined
  #reconciling = false
  #stopping: Promise<void> | undefined

  constructor(setup: PublishSetup) {
    this.id = setup.id ?? newTunnelId()
    this.#setup = setup
    this.#clock = setup.clock ?? systemClock
    this.#logger = (setup.logger ?? silentLogger).child({ tunnel: this.id })
    const strategy = setup.strategy ?? 'priority'
    this.#decide = strategyOf(strategy)
    this.#atOnce = usesAllAtOnce(strategy)
    const { able, notes } = suitable(setup)
    this.#exposure = planExposure(able, { end: 'publisher', atOnce: this.#atOnce, allowExposure: setup.allowExposure === true })
    this.#notes = [
      ...notes,
      ...this.#exposure.leftOut.map(({ backend, reason }) => ({
        backend,
        code: 'BEAM_WARN_EXPOSURE',
        message: `${backend} is not used: ${reason}.`,
      })),
    ]
    this.#service = setup.onStream === undefined ? new LocalService(setup.target, { clock: this.#clock, logger: this.#logger }) : undefined
    this.#legs = able.filter(({ name }) => this.#exposure.chain.includes(name)).map((handle) => this.#leg(handle))
  }

  async start({ signal, requireService }: PublishSetup): Promise<void> {
    signal?.throwIfAborted()
    const onAbort = (): void => this.#settle?.reject(signal?.reason)
    try {
      for (const note of this.#notes) this.#emit({ event: 'warning', tunnel: this.id, ...note })
      await this.#lookForService(requireService === true)
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        this.#settle = { resolve, reject }
        signal?.addEventListener('abort', onAbort, { once: true })
        this.#reconcile()
      })
    } catch (error) {
      await this.#end()
      throw error
    } finally {
      this.#settle = undefined
      signal?.removeEventListener('abort', onAbort)
    }
  }

  snapshot(): TunnelSnapshot {
    const { name, target, access } = this.#setup
    return {
      id: this.id,
      ...(name === undefined ? {} : { name }),
      host: target.host,
      port: target.port,
      endpoints: this.#legs.flatMap((leg) => leg.endpoints()),
      access: accessSentence(access),
      service: this.#service?.state ?? 'up',
    }
  }

  stop(reason = 'stopped'): Promise<void> {
    this.#stopping ??= this.#end().then(() => this.#emit({ event: 'stopped', tunnel: this.id, reason }))
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #lookForService(required: boolean): Promise<void> {
    const service = this.#service
    if (service === undefined) return
    const state = await service.probe()
    const { host, port } = service.target
    const message = `Nothing listens on ${host}:${port}.`
    if (state === 'down' && required) {
      throw new BackendUnavailableError(message, {
        code: 'BEAM_ERR_SERVICE_DOWN',
        hint: 'Start the service first, or leave --require-service out to wait for it.',
      })
    }
    if (state === 'down') {
      this.#emit({
        event: 'warning',
        tunnel: this.id,
        code: 'BEAM_WARN_SERVICE_DOWN',
        message: `${message} Visitors are refused until it does.`,
      })
    }
    service.watch((event, reason) => this.#emit({ event, tunnel: this.id, what: 'service', reason }))
  }

  #leg(handle: BackendHandle): Leg {
    const { target, name, domain, identity, access, network, onStream } = this.#setup
    const { name: backend, capabilities } = handle
    // Where the daemon connects to the local port itself, Beam adds nothing to the path.
    const direct = onStream === undefined && capabilities.deliversDirectly === true
    const leg: Leg = new Leg({
      handle,
      port: target.port,
      clock: this.#clock,
      logger: this.#logger,
      options: {
        id: this.id,
        host: target.host,
        ...(name === undefined ? {} : { name }),
        ...(domain === undefined || !capabilities.supportsDomains ? {} : { domain }),
        ...(identity === undefined ? {} : { identity }),
        ...(access === undefined ? {} : { access }),
        ...(network?.[backend] === undefined ? {} : { network: network[backend] }),
        ...(direct ? {} : { onStream: onStream ?? ((stream, visitor) => this.#service?.handle(stream, visitor)) }),
      },
      events: {
        changed: () => this.#reconcile(),
        progress: ({ phase, percent, message }) =>
          this.#emit({ event: 'progress', tunnel: this.id, backend, phase, ...(percent === undefined ? {} : { percent }), message }),
        address: (address) => this.#emit({ event: 'address', tunnel: this.id, backend, address }),
        endpoint: (endpoint, reason) => this.#onEndpoint(endpoint, reason),
        warning: (code, message) => this.#emit({ event: 'warning', tunnel: this.id, backend, code, message }),
        failed: (error) => this.#onFailed(leg, error),
      },
    })
    return leg
  }

  #onEndpoint({ backend, address, state }: Endpoint, reason: string): void {
    if (!this.#ready) return
    this.#emit({ event: state === 'down' ? 'down' : 'up', tunnel: this.id, what: 'endpoint', backend, address, reason })
  }

  /** Tells a failure once, not at every retry. */
  #onFailed(leg: Leg, error: unknown): void {
    const last = this.#failures.get(leg.name)
    this.#failures.set(leg.name, error)
    const message = messageOf(error)
    if (last !== undefined && messageOf(last) === message) return
    const code = isBeamError(error) ? error.code : 'BEAM_ERR_INTERNAL'
    this.#emit({ event: 'warning', tunnel: this.id, backend: leg.name, code, message })
  }

  /** Starts and stops legs until they are what the strategy wants. Called whenever anything changed. */
  #reconcile(): void {
    if (this.#reconciling || this.#stopping !== undefined || (this.#settle === undefined && !this.#ready)) return
    this.#reconciling = true
    queueMicrotask(() => {
      this.#reconciling = false
      if (this.#stopping === undefined && (this.#settle !== undefined || this.#ready)) this.#apply()
    })
  }

  #apply(): void {
    const legs = this.#legs
    const { want, primary, againMs } = this.#decide(legs.map((leg) => leg.view()))
    this.#cancelAgain?.()
    this.#cancelAgain = againMs === undefined ? undefined : this.#clock.after(againMs, () => this.#reconcile(), { unref: true })

    const carrier = primary === undefined ? undefined : legs[primary]
    if (carrier !== undefined) this.#onPrimary(carrier)
    for (const [index, leg] of legs.entries()) {
      if (want.has(index) && this.#legs.includes(leg)) leg.start()
      else if (leg.running) this.#dismiss(leg, `${carrier?.name ?? 'another network'} carries the tunnel`)
    }
    if (!this.#ready && this.#legs.every((leg) => leg.view().state === 'failed')) this.#settle?.reject(this.#neverReady())
  }

  #onPrimary(leg: Leg): void {
    const before = this.#primary
    if (before === leg) return
    this.#primary = leg
    // A network that hides carries the tunnel now: one that exposes must not take it back without consent.
    this.#legs = this.#legs.filter(({ name }) => this.#exposure.mayMove(leg.name, name))

    if (!this.#ready) {
      this.#ready = true
      this.#emit({ event: 'ready', tunnel: this.snapshot() })
      this.#settle?.resolve()
    } else if (before !== undefined && !this.#atOnce) {
      const reason = before.view().state === 'up' ? `${leg.name} works again` : `${before.name} is down`
      this.#emit({ event: 'failover', tunnel: this.id, from: before.name, to: leg.name, reason })
    }
  }

  #dismiss(leg: Leg, reason: string): void {
    for (const endpoint of leg.endpoints()) {
      if (endpoint.state !== 'down') this.#onEndpoint({ ...endpoint, state: 'down' }, reason)
    }
    void leg.stop()
  }

  #neverReady(): unknown {
    const failures = this.#legs.map(({ name }) => ({ name, error: this.#failures.get(name) }))
    const [only] = failures
    if (only === undefined) return new InternalError('There is no backend left to publish on.')
    const hint = this.#exposure.leftOut.length > 0 ? `Not tried: ${this.#notes.map(({ message }) => message).join(' ')}` : undefined
    if (failures.length === 1 && hint === undefined) return only.error
    const message = failures.map(({ name, error }) => `${name}: ${messageOf(error)}`).join(' ')
    const cause = new AggregateError(
      failures.map(({ error }) => error),
      message,
    )
    return new BackendUnavailableError(`No backend could publish the tunnel. ${message}`, { cause, hint })
  }

  async #end(): Promise<void> {
    this.#cancelAgain?.()
    this.#service?.close()
    await Promise.all(this.#legs.map((leg) => leg.stop()))
  }

  #emit(event: PublishEvent): void {
    try {
      this.#setup.onEvent?.(event)
    } catch (error) {
      this.#logger.error('a listener of tunnel events threw', { event: event.event, reason: messageOf(error) })
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
