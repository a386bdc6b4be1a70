import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  BackendUnavailableError,
  CleanupStack,
  ConfigError,
  connectTunnel,
  formatVisitorKey,
  generateIdentity,
  lockName,
  newTunnelId,
  openKeyStore,
  openOverWays,
  publishTunnel,
  resolveWays,
  type ConnectEvent,
  type FoundWays,
  type Strategy,
  type Identity,
  type KeyStore,
  type LocalPort,
  type Tunnel,
  type TunnelPlan,
  type WayTarget,
} from '../core/index.ts'
import { assemble, type BeamOptions, type Parts } from './assemble.ts'
import type {
  BackendSummary,
  Beam,
  Connection,
  ConnectOptions,
  PlanOptions,
  PublishedTunnel,
  PublishOptions,
  PublishTarget,
} from './beam.ts'
import { checkChoices } from './check-choices.ts'
import { joinNetwork } from './join-network.ts'
import { chosenNames, planFor } from './plan-tunnel.ts'

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
  /** What runs: tunnels and connections. */
  readonly #running = new Set<{ stop: (reason?: string) => Promise<void> }>()
  /** Ends what is just being started when the instance ends. */
  readonly #ending = new AbortController()
  #ended: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#keys = openKeyStore(parts.paths)
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
    const tunnel = await publishTunnel({
      ...rest,
      ...(name === undefined ? {} : { name }),
      id,
      target: { host, port },
      chain,
      identity,
      clock,
      logger,
      signal,
    })
    const stop = this.#own(tunnel, cleanup.move())
    return {
      id,
      snapshot: () => tunnel.snapshot(),
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
    const { ways, strategy } = await this.#waysTo(addresses, options, signal)
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
    const found = await this.#waysTo(typeof address === 'string' ? [address] : address, options, signal)
    const { allowExposure, onEvent } = options
    return openOverWays({
      ...found,
      clock: this.#parts.clock,
      signal,
      ...(allowExposure === undefined ? {} : { allowExposure }),
      ...(onEvent === undefined ? {} : { onEvent: (event: ConnectEvent) => this.#tell(onEvent, event) }),
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
  #own(part: Tunnel | LocalPort, cleanup: CleanupStack): (reason?: string) => Promise<void> {
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

  /** The ways to the service behind the addresses, with how each is dialled. */
  async #waysTo(
    addresses: readonly string[],
    options: ConnectOptions,
    signal: AbortSignal,
  ): Promise<{ readonly ways: readonly [WayTarget, ...WayTarget[]]; readonly strategy: Strategy }> {
    if (addresses.length === 0) throw new ConfigError('There is no address to connect to.', { code: 'BEAM_ERR_USAGE' })
    const { ways, strategy } = await this.#findWays(addresses, options, signal)
    const credentials = await this.#credentials(options)
    const targets = ways.map(({ handle, address, weight: said }): WayTarget => {
      const weight = options.weights?.[handle.name] ?? said
      const dial = { ...credentials, ...networkOf(options, handle.name), isolation: newTunnelId() }
      return { handle, address, dial, ...(weight === undefined ? {} : { weight }) }
    })
    return { ways: targets as [WayTarget, ...WayTarget[]], strategy }
  }

  async #findWays(addresses: readonly string[], options: ConnectOptions, signal: AbortSignal): Promise<FoundWays> {
    const { backend, backends, strategy, weights = {}, allowExposure, onEvent } = options
    checkChoices({ strategy, weights })
    return resolveWays(
      addresses.map((address) => address.trim()),
      {
        candidates: (address) => this.#parts.backends.candidates(address, backend),
        // Who names one network wants no other.
        extra: async () => (backend === undefined ? this.#parts.backends.extra(backends) : []),
        ...(strategy === undefined ? {} : { strategy }),
        ...(allowExposure === undefined ? {} : { allowExposure }),
        signal,
        onWarning: (code, message) => this.#tell(onEvent, { event: 'warning', code, message }),
      },
    )
  }

  async #credentials({ identity, secret }: ConnectOptions): Promise<{ identity?: Identity; secret?: string }> {
    const key = identity === true ? await this.#keys.visitorKey() : identity
    return { ...(key === undefined ? {} : { identity: key }), ...(secret === undefined ? {} : { secret }) }
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

/** The options that are meant for the backend that dials. */
function networkOf({ network }: ConnectOptions, backend: string): { network?: Readonly<Record<string, unknown>> } {
  const own = network?.[backend]
  return own === undefined ? {} : { network: own }
}

function stopped(): BackendUnavailableError {
  return new BackendUnavailableError('This Beam instance was stopped.', { retry: 'never' })
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'BEAM_ERR_PLUGIN'
}
