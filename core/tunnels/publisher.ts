import type { Endpoint, StreamHandler } from '../backend.ts'
import { systemClock, type Clock } from '../clock.ts'
import { BackendUnavailableError, isBeamError } from '../errors.ts'
import { silentLogger, type Logger } from '../logger.ts'
import { Announcer, assertWeights } from './announcer.ts'
import { Arrivals } from './arrivals.ts'
import type { BackendHandle } from './backend-handle.ts'
import { Draining } from './draining.ts'
import type { PublishEvent, TunnelSnapshot } from './events.ts'
import { planExposure, type ExposurePlan } from './exposure.ts'
import { Failures, messageOf } from './failures.ts'
import { healthSettings, type HealthSettings } from './health-settings.ts'
import { newTunnelId } from './ids.ts'
import type { Leg } from './leg.ts'
import { LocalService } from './local-service.ts'
import { makeLeg } from './make-leg.ts'
import { migrate, planMigration, type Migration } from './migrate.ts'
import { networkHealth, type NetworkHealth } from './network-health.ts'
import type { OpenStreams } from './open-streams.ts'
import type { PublishSetup, Tunnel } from './publish-setup.ts'
import { strategyOf, usesAllAtOnce, type Decide } from './strategy.ts'
import { accessSentence, leftOutNotes, suitable, type Note } from './suitable.ts'
import { watchService } from './watch-service.ts'

/** A tunnel over the legs that its strategy wants. */
export class Publisher implements Tunnel {
  readonly id: string
  readonly #setup: PublishSetup
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #service: LocalService | undefined
  readonly #arrivals: Arrivals
  readonly #decide: Decide
  /** Whether several networks carry the tunnel side by side, so that none takes over from another. */
  readonly #atOnce: boolean
  readonly #health: Required<HealthSettings>
  readonly #announcer: Announcer
  readonly #notes: readonly Note[]
  /** The visitors' streams of each leg that Beam sees. */
  readonly #streams = new WeakMap<Leg, OpenStreams>()
  readonly #draining: Draining
  readonly #listeners = new Set<() => void>()
  #exposure: ExposurePlan
  #allowExposure: boolean
  #legs: readonly Leg[]
  #migrating = false
  /** Ends a migration that is under way. */
  readonly #ended = new AbortController()
  readonly #failures = new Failures()
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
    const { strategy = 'priority', weights = {} } = setup
    this.#health = healthSettings(setup.health)
    this.#draining = new Draining({
      clock: this.#clock,
      onDrain: ({ name }, message) => this.#emit({ event: 'progress', tunnel: this.id, backend: name, phase: 'drain', message }),
    })
    this.#decide = strategyOf(strategy, this.#health)
    this.#atOnce = usesAllAtOnce(strategy)
    assertWeights(weights, setup.chain)
    this.#announcer = new Announcer({ weights, capabilities: strategy === 'multipath' ? ['multipath'] : [], logger: this.#logger })
    const { able, notes } = suitable(setup)
    this.#allowExposure = setup.allowExposure === true
    this.#exposure = planExposure(able, { end: 'publisher', atOnce: this.#atOnce, allowExposure: this.#allowExposure })
    this.#notes = [...notes, ...leftOutNotes(this.#exposure)]
    this.#service = LocalService.of(setup, { clock: this.#clock, logger: this.#logger })
    const handler: StreamHandler = setup.onStream ?? ((stream, visitor) => this.#service?.handle(stream, visitor))
    this.#arrivals = new Arrivals({ handler, joins: strategy === 'multipath', clock: this.#clock, logger: this.#logger })
    this.#legs = able.filter(({ name }) => this.#exposure.chain.includes(name)).map((handle) => this.#leg(handle))
  }

  async start({ signal, requireService }: PublishSetup): Promise<void> {
    signal?.throwIfAborted()
    const onAbort = (): void => this.#settle?.reject(signal?.reason)
    try {
      for (const note of this.#notes) this.#emit({ event: 'warning', tunnel: this.id, ...note })
      if (this.#service !== undefined)
        await watchService(this.#service, { required: requireService === true, emit: (event) => this.#emit({ ...event, tunnel: this.id }) })
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
      endpoints: this.#draining.listed(this.#legs).flatMap((leg) => leg.endpoints()),
      access: accessSentence(access),
      service: this.#service?.state ?? 'up',
    }
  }

  health(): readonly NetworkHealth[] {
    return this.#legs.map((leg) => networkHealth(leg, { ...this.#setup, hysteresis: this.#health, clock: this.#clock }))
  }

  backends(): readonly string[] {
    return this.#legs.map(({ name }) => name)
  }

  async migrate(migration: Migration): Promise<void> {
    if (this.#stopping !== undefined || !this.#ready) throw new BackendUnavailableError('The tunnel is not up.')
    if (this.#migrating) throw new BackendUnavailableError('The tunnel is being moved already.')
    const handles = this.#legs.map(({ handle }) => handle)
    const consent = { atOnce: this.#atOnce, allowExposure: this.#allowExposure }
    const plan = planMigration(handles, migration, consent)
    const { notes } = suitable({ ...this.#setup, chain: [migration.to] })
    for (const note of notes) this.#emit({ event: 'warning', tunnel: this.id, ...note })
    const old = this.#legs.find(({ name }) => name === migration.from) as Leg
    const next = this.#leg(migration.to)
    const before = { legs: this.#legs, exposure: this.#exposure, allowExposure: this.#allowExposure, primary: this.#primary }
    this.#migrating = true
    try {
      await migrate(
        {
          old,
          next,
          streams: this.#streams.get(old),
          clock: this.#clock,
          onChange: (listener) => {
            this.#listeners.add(listener)
            return () => void this.#listeners.delete(listener)
          },
          failure: () => this.#failures.of(next.name),
          commit: () => {
            this.#exposure = plan
            this.#allowExposure ||= migration.allowExposure === true
            this.#legs = this.#legs.map((leg) => (leg === old ? next : leg)).filter(({ name }) => plan.chain.includes(name))
            if (this.#primary === old) this.#primary = next
            this.#emit({ event: 'failover', tunnel: this.id, from: old.name, to: next.name, reason: 'moved by the user' })
            this.#reconcile()
          },
          revert: () => {
            this.#legs = before.legs
            this.#exposure = before.exposure
            this.#allowExposure = before.allowExposure
            this.#primary = before.primary
            this.#emit({ event: 'failover', tunnel: this.id, from: next.name, to: old.name, reason: 'the move was called off' })
            this.#reconcile()
          },
          onProgress: (phase, message) => this.#emit({ event: 'progress', tunnel: this.id, backend: old.name, phase, message }),
        },
        { ...migration, signal: AbortSignal.any([this.#ended.signal, ...(migration.signal === undefined ? [] : [migration.signal])]) },
      )
    } finally {
      this.#migrating = false
      if (!this.#legs.includes(next)) await next.stop()
    }
  }

  stop(reason = 'stopped'): Promise<void> {
    this.#stopping ??= this.#end().then(() => this.#emit({ event: 'stopped', tunnel: this.id, reason }))
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #leg(handle: BackendHandle): Leg {
    const { name: backend } = handle
    const { leg, streams } = makeLeg(handle, {
      tunnel: this.#setup,
      id: this.id,
      arrivals: this.#arrivals,
      health: this.#health,
      clock: this.#clock,
      logger: this.#logger,
      events: {
        changed: () => {
          this.#reconcile()
          for (const listener of this.#listeners) listener()
        },
        progress: ({ phase, percent, message }) =>
          this.#emit({ event: 'progress', tunnel: this.id, backend, phase, ...(percent === undefined ? {} : { percent }), message }),
        address: (address) => this.#emit({ event: 'address', tunnel: this.id, backend, address }),
        endpoint: (endpoint, reason) => this.#onEndpoint(endpoint, reason),
        warning: (code, message) => this.#emit({ event: 'warning', tunnel: this.id, backend, code, message }),
        failed: (error) => this.#onFailed(leg, error),
      },
    })
    if (streams !== undefined) this.#streams.set(leg, streams)
    return leg
  }

  #onEndpoint({ backend, address, state }: Endpoint, reason: string): void {
    if (!this.#ready) return
    this.#emit({ event: state === 'down' ? 'down' : 'up', tunnel: this.id, what: 'endpoint', backend, address, reason })
  }

  /** Tells a failure once, not at every retry. */
  #onFailed(leg: Leg, error: unknown): void {
    if (!this.#failures.isNews(leg.name, error)) return
    const code = isBeamError(error) ? error.code : 'BEAM_ERR_INTERNAL'
    this.#emit({ event: 'warning', tunnel: this.id, backend: leg.name, code, message: messageOf(error) })
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
      if (want.has(index) && this.#legs.includes(leg)) this.#take(leg)
      else if (leg.running) this.#dismiss(leg, `${carrier?.name ?? 'another network'} carries the tunnel`)
    }
    this.#announcer.update(this.#draining.listed(this.#legs), this.#exposure)
    if (!this.#ready && this.#legs.every((leg) => leg.view().state === 'failed'))
      this.#settle?.reject(
        this.#failures.neverReady(
          this.#legs.map(({ name }) => name),
          this.#exposure.leftOut.length > 0 ? `Not tried: ${this.#notes.map(({ message }) => message).join(' ')}` : undefined,
        ),
      )
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

  #take(leg: Leg): void {
    if (!this.#draining.has(leg)) return leg.start()
    this.#draining.keep(leg)
    for (const endpoint of leg.endpoints()) this.#onEndpoint(endpoint, `${leg.name} is needed again`)
  }

  #dismiss(leg: Leg, reason: string): void {
    if (this.#draining.has(leg)) return
    for (const endpoint of leg.endpoints()) {
      if (endpoint.state !== 'down') this.#onEndpoint({ ...endpoint, state: 'down' }, reason)
    }
    this.#draining.add(leg, this.#streams.get(leg))
  }

  async #end(): Promise<void> {
    this.#ended.abort(new BackendUnavailableError('The tunnel was stopped.'))
    this.#cancelAgain?.()
    this.#arrivals.close()
    this.#service?.close()
    await Promise.all([this.#draining.end(), ...this.#legs.map((leg) => leg.stop())])
  }

  #emit(event: PublishEvent): void {
    try {
      this.#setup.onEvent?.(event)
    } catch (error) {
      this.#logger.error('a listener of tunnel events threw', { event: event.event, reason: messageOf(error) })
    }
  }
}
