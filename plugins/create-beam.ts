import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  BackendUnavailableError,
  CleanupStack,
  connectTunnel,
  formatVisitorKey,
  generateIdentity,
  lockName,
  newTunnelId,
  openKeyStore,
  openOverWays,
  publishTunnel,
  type ConnectEvent,
  type Identity,
  type KeyStore,
  type LocalPort,
  type TunnelPlan,
} from '../core/index.ts'
import { assemble, type BeamOptions, type Parts } from './assemble.ts'
import type {
  BackendSummary,
  Beam,
  Connection,
  ConnectOptions,
  HostedPlace,
  HostPlaceOptions,
  PlanOptions,
  PublishedTunnel,
  PublishOptions,
  PublishTarget,
  ResolveNameOptions,
} from './beam.ts'
import { WayFinder, type WayOptions } from './find-ways.ts'
import { joinNetwork } from './join-network.ts'
import { chosenNames, planFor } from './plan-tunnel.ts'
import { hostPlace } from './rendezvous/host-place.ts'
import { TunnelRegistration } from './rendezvous/tunnel-registration.ts'

/** The port that backends are told when no local port is involved (`listen`). */
const NO_PORT = 80

/**
 * Makes a Beam instance. No network is used before something is published or dialled.
 * @throws InvalidConfigError with every problem of the configuration
 *
 * @example
 * await using beam = await createBeam()
 * const tunnel = await beam.publish(3000)
 * console.log(tunnel.snapshot().endpoints[0]?.address)
 */
export async function createBeam(options: BeamOptions = {}): Promise<Beam> {
  return new BeamInstance(await assemble(options))
}

class BeamInstance implements Beam {
  readonly #parts: Parts
  readonly #keys: KeyStore
  /** Meeting places behind networks that hide. */
  readonly #rendezvous: readonly string[]
  readonly #finder: WayFinder
  /** What runs: tunnels and connections. */
  readonly #running = new Set<{ stop: (reason?: string) => Promise<void> }>()
  /** Ends what is just being started when the instance ends. */
  readonly #ending = new AbortController()
  #ended: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#keys = openKeyStore(parts.paths)
    this.#rendezvous = parts.config.config.p2p.rendezvous ?? []
    this.#finder = new WayFinder({ ...parts, keys: this.#keys, rendezvous: this.#rendezvous })
  }

  async publish(target: number | PublishTarget, options: PublishOptions = {}): Promise<PublishedTunnel> {
    this.#assertRunning()
    const { port, host = 'localhost' } = typeof target === 'number' ? { port: target } : target
    const { id = newTunnelId(), name, backends: _backends, budget: _budget, join = [], ...rest } = options
    const warn = (backend: string, code: string, message: string): void =>
      this.#tell(options.onEvent, { event: 'warning', tunnel: id, backend, code, message })
    const names = await chosenNames(this.#parts.backends, options, (backend, reason) =>
      warn(backend, 'BEAM_WARN_BUDGET', `${backend} is not used: ${reason}.`),
    )
    const { chain, leftOut } = await this.#parts.backends.chain(names)
    for (const { backend, error } of leftOut) warn(backend, codeOf(error), error.message)
    for (const backend of join.filter((one) => !chain.some(({ name: used }) => used === one)))
      void joinNetwork(backend, this, (event) => this.#tell(options.onEvent, { ...event, tunnel: id }))
    await using cleanup = new CleanupStack()
    const identity = await this.#serviceKey(name, cleanup)
    const { clock, logger } = this.#parts
    const signal = this.#until(options.signal)
    const { domain, allowExposure = false, onEvent } = rest
    const registration = await TunnelRegistration.prepare({
      rendezvous: this.#rendezvous,
      candidates: (address) => this.#parts.backends.candidates(address),
      existing: (name) => this.#parts.registry.existing(name),
      ...{ id, domain, chain, identity, allowExposure, onEvent, clock, logger },
    })
    const tunnel = await publishTunnel({
      ...rest,
      ...(registration === undefined ? {} : { onEvent: registration.onEvent }),
      ...(name === undefined ? {} : { name }),
      id,
      target: { host, port },
      chain,
      identity,
      clock,
      logger,
      signal,
    })
    registration?.begin(tunnel)
    const ending = async (reason?: string): Promise<void> => void (await Promise.all([registration?.stop(), tunnel.stop(reason)]))
    const stop = this.#own({ stop: ending }, cleanup.move())
    return {
      id,
      snapshot: () => tunnel.snapshot(),
      health: () => tunnel.health(),
      backends: () => tunnel.backends(),
      migrate: async ({ to, ...migration }) => tunnel.migrate({ ...migration, to: await this.#parts.backends.use(to) }),
      stop,
      [Symbol.asyncDispose]: () => stop(),
    }
  }

  plan(options: PlanOptions = {}): Promise<TunnelPlan> {
    return planFor(this.#parts.backends, options)
  }

  listen(server: Server, options: PublishOptions = {}): Promise<PublishedTunnel> {
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : NO_PORT
    return this.publish({ port }, { ...options, onStream: (stream) => void server.emit('connection', stream) })
  }

  async connect(address: string | readonly string[], options: ConnectOptions = {}): Promise<Connection> {
    this.#assertRunning()
    const { host, port, circuits, onEvent, allowExposure } = options
    const signal = this.#until(options.signal)
    const addresses = typeof address === 'string' ? [address] : address
    const typed = addresses[0] ?? ''
    const { ways, strategy } = await this.#finder.to(addresses, this.#wayOptions(options, signal))
    const [first, ...others] = ways
    const { clock, logger } = this.#parts
    const connection = await connectTunnel({
      ...first,
      address: typed,
      dialled: first.address,
      others,
      strategy,
      clock,
      logger,
      signal,
      ...(allowExposure === undefined ? {} : { allowExposure }),
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(circuits === undefined ? {} : { circuits }),
      ...(onEvent === undefined ? {} : { onEvent }),
    })
    const stop = this.#own(connection, new CleanupStack())
    return {
      host: connection.host,
      port: connection.port,
      address: typed,
      get path() {
        return connection.path
      },
      get paths() {
        return connection.paths
      },
      reveals: connection.reveals,
      stop,
      [Symbol.asyncDispose]: () => stop(),
    }
  }

  async openStream(address: string | readonly string[], options: Omit<ConnectOptions, 'host' | 'port' | 'circuits'> = {}): Promise<Duplex> {
    this.#assertRunning()
    const signal = this.#until(options.signal)
    const found = await this.#finder.to(typeof address === 'string' ? [address] : address, this.#wayOptions(options, signal))
    const { allowExposure, onEvent } = options
    return openOverWays({
      ...found,
      clock: this.#parts.clock,
      signal,
      ...(allowExposure === undefined ? {} : { allowExposure }),
      ...(onEvent === undefined ? {} : { onEvent: (event: ConnectEvent) => this.#tell(onEvent, event) }),
    })
  }

  async resolve(name: string, { signal, onWarning = () => {}, ...options }: ResolveNameOptions = {}): Promise<readonly string[]> {
    this.#assertRunning()
    return this.#finder.addresses(name, { ...options, signal: this.#until(signal), onWarning })
  }

  hostPlace(options: HostPlaceOptions): Promise<HostedPlace> {
    const { backends, clock, logger } = this.#parts
    return hostPlace(options, {
      publish: (target, publishing) => this.publish(target, publishing),
      use: (name) => backends.use(name),
      serviceKey: (name) => this.#keys.serviceKey(name),
      clock,
      logger,
    })
  }

  async backends(): Promise<readonly BackendSummary[]> {
    return this.#parts.backends.list()
  }

  async start(backend: string, { signal, onProgress }: Parameters<Beam['start']>[1] = {}): Promise<void> {
    this.#assertRunning()
    const handle = await this.#parts.backends.use(backend)
    await handle.ready({ signal: this.#until(signal), ...(onProgress === undefined ? {} : { onProgress }) })
  }

  async operate(
    backend: string,
    operation: string,
    input: Readonly<Record<string, unknown>> = {},
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#assertRunning()
    return this.#parts.registry.operate(backend, operation, input, options)
  }

  async visitorKey(): Promise<string> {
    return formatVisitorKey((await this.#keys.visitorKey()).publicKey)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    this.#ending.abort(stopped())
    await Promise.allSettled([...this.#running].map((one) => one.stop('Beam was stopped')))
    await this.#parts.registry[Symbol.asyncDispose]()
  }

  /** Counts something as running until it is stopped; returns what stops it and then undoes the rest, once. */
  #own(part: Pick<LocalPort, 'stop'>, cleanup: CleanupStack): (reason?: string) => Promise<void> {
    let stopping: Promise<void> | undefined
    const end = async (reason?: string): Promise<void> => {
      this.#running.delete(owned)
      await part.stop(reason)
      await cleanup[Symbol.asyncDispose]()
    }
    const owned = { stop: (reason?: string): Promise<void> => (stopping ??= end(reason)) }
    this.#running.add(owned)
    return owned.stop
  }

  /** Fires with the caller's signal and when the instance ends. */
  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal])
  }

  /** The key of a named tunnel, which this process then holds alone; else a new one. */
  async #serviceKey(name: string | undefined, cleanup: CleanupStack): Promise<Identity> {
    if (name === undefined) return generateIdentity()
    const lock = await lockName(this.#parts.paths, name)
    cleanup.defer(() => lock[Symbol.asyncDispose]())
    return this.#keys.serviceKey(name)
  }

  #wayOptions({ onEvent, ...options }: ConnectOptions, signal: AbortSignal): WayOptions {
    return {
      ...options,
      signal,
      onWarning: (code, message) => this.#tell(onEvent, { event: 'warning', code, message }),
      onProgress: (backend, progress) => this.#tell(onEvent, { event: 'progress', backend, ...progress }),
    }
  }

  #tell<Event>(onEvent: ((event: Event) => void) | undefined, event: Event): void {
    try {
      onEvent?.(event)
    } catch (error) {
      this.#parts.logger.error('a listener of events threw', { reason: (error as Error).message })
    }
  }

  #assertRunning(): void {
    if (this.#ended !== undefined) throw stopped()
  }
}

function stopped(): BackendUnavailableError {
  return new BackendUnavailableError('This Beam instance was stopped.', { retry: 'never' })
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'BEAM_ERR_PLUGIN'
}
