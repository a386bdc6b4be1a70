import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { beamPaths, loadConfig, resolveConfig, type BeamConfigInput, type LoadedConfig } from '../config/index.ts'
import {
  BackendUnavailableError,
  CleanupStack,
  connectTunnel,
  formatVisitorKey,
  generateIdentity,
  lockName,
  newTunnelId,
  openKeyStore,
  openStream,
  publishTunnel,
  resolveTarget,
  silentLogger,
  systemClock,
  type BeamPaths,
  type BeamPlugin,
  type Clock,
  type Identity,
  type KeyStore,
  type LocalPort,
  type Logger,
  type Target,
  type Tunnel,
} from '../core/index.ts'
import { Backends } from './backends.ts'
import type { BackendSummary, Beam, Connection, ConnectOptions, PublishedTunnel, PublishOptions, PublishTarget } from './beam.ts'
import { createContainer } from './container.ts'
import { PluginHost } from './plugin-host.ts'
import { BackendRegistry } from './registry.ts'

/** Variables as the environment has them. */
type Environment = Readonly<Record<string, string | undefined>>

/** What a Beam instance is made of. Everything has a default. */
export interface BeamOptions {
  /** The configuration, as a plain value or as `loadConfig` gave it. Default: the mesh, with defaults. */
  readonly config?: BeamConfigInput | LoadedConfig
  /** Read a file instead: `true` looks for beam.config.yaml as the commands do, a text names the file. */
  readonly configFile?: true | string
  /** What relative paths in `config` refer to. Default: the working directory. */
  readonly folder?: string
  /** Default: writes nothing. */
  readonly logger?: Logger
  /** Where keys and state are kept. Default: this user's folders (`BEAM_HOME` moves them). */
  readonly paths?: BeamPaths
  readonly clock?: Clock
  /** Backends in addition to the built-in ones and to those that the configuration names. */
  readonly plugins?: readonly BeamPlugin[]
  /** Variables (`BEAM_*`) that override the configuration. Default: those of the process. */
  readonly env?: Environment
}

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
  const { logger = silentLogger, clock = systemClock, env = process.env, paths = beamPaths(env), plugins } = options
  const host = new PluginHost({ paths, logger, ...(plugins === undefined ? {} : { plugins }) })
  const config = await configOf(options, { host, env, paths })
  for (const { path, message } of config.warnings) logger.warn('the configuration has a peculiarity', { path, reason: message })
  const registry = new BackendRegistry(createContainer({ logger, clock, paths }), logger)
  return new BeamInstance({ backends: new Backends({ host, registry, config }), registry, logger, clock, paths })
}

async function configOf(
  { config, configFile, folder }: BeamOptions,
  { host, env, paths }: { host: PluginHost; env: Environment; paths: BeamPaths },
): Promise<LoadedConfig> {
  const catalogue = { schemaOf: host.schemaOf, knownBackends: host.knownBackends, env }
  if (configFile !== undefined) return loadConfig({ ...catalogue, paths, ...(configFile === true ? {} : { file: configFile }) })
  if (config !== undefined && 'useBackend' in config) return resolveConfig(config.config, { ...catalogue, folder: config.folder })
  return resolveConfig(config ?? {}, { ...catalogue, ...(folder === undefined ? {} : { folder }) })
}

interface Components {
  readonly backends: Backends
  readonly registry: BackendRegistry
  readonly logger: Logger
  readonly clock: Clock
  readonly paths: BeamPaths
}

class BeamInstance implements Beam {
  readonly #parts: Components
  readonly #keys: KeyStore
  /** What runs: tunnels and connections. */
  readonly #running = new Set<{ stop: (reason?: string) => Promise<void> }>()
  /** Ends what is just being started when the instance ends. */
  readonly #ending = new AbortController()
  #ended: Promise<void> | undefined

  constructor(parts: Components) {
    this.#parts = parts
    this.#keys = openKeyStore(parts.paths)
  }

  async publish(target: number | PublishTarget, options: PublishOptions = {}): Promise<PublishedTunnel> {
    this.#assertRunning()
    const { port, host = 'localhost' } = typeof target === 'number' ? { port: target } : target
    const { name, backends, ...rest } = options
    const id = newTunnelId()
    const { chain, leftOut } = await this.#parts.backends.chain(backends)
    for (const { backend, error } of leftOut)
      this.#tell(options, { event: 'warning', tunnel: id, backend, code: codeOf(error), message: error.message })
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
    return { id, snapshot: () => tunnel.snapshot(), stop, [Symbol.asyncDispose]: () => stop() }
  }

  listen(server: Server, options: PublishOptions = {}): Promise<PublishedTunnel> {
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : NO_PORT
    return this.publish({ port }, { ...options, onStream: (stream) => void server.emit('connection', stream) })
  }

  async connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
    this.#assertRunning()
    const { host, port, onEvent } = options
    const signal = this.#until(options.signal)
    const { handle, address: dialled } = await this.#find(address, options, signal)
    const { clock, logger } = this.#parts
    const connection = await connectTunnel({
      address,
      dialled,
      handle,
      dial: { ...(await this.#credentials(options)), isolation: newTunnelId() },
      clock,
      logger,
      signal,
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(onEvent === undefined ? {} : { onEvent }),
    })
    const stop = this.#own(connection, new CleanupStack())
    return {
      host: connection.host,
      port: connection.port,
      address,
      get path() {
        return connection.path
      },
      reveals: connection.reveals,
      stop,
      [Symbol.asyncDispose]: () => stop(),
    }
  }

  async openStream(address: string, options: Omit<ConnectOptions, 'host' | 'port'> = {}): Promise<Duplex> {
    this.#assertRunning()
    const signal = this.#until(options.signal)
    const { handle, address: dialled } = await this.#find(address, options, signal)
    return openStream({
      handle,
      address: dialled,
      clock: this.#parts.clock,
      ...(await this.#credentials(options)),
      isolation: newTunnelId(),
      signal,
    })
  }

  async backends(): Promise<readonly BackendSummary[]> {
    return this.#parts.backends.list()
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

  async #find(address: string, { backend, allowExposure }: ConnectOptions, signal: AbortSignal): Promise<Target> {
    return resolveTarget(address.trim(), {
      candidates: await this.#parts.backends.candidates(address, backend),
      ...(allowExposure === undefined ? {} : { allowExposure }),
      signal,
    })
  }

  async #credentials({ identity, secret }: ConnectOptions): Promise<{ identity?: Identity; secret?: string }> {
    const key = identity === true ? await this.#keys.visitorKey() : identity
    return { ...(key === undefined ? {} : { identity: key }), ...(secret === undefined ? {} : { secret }) }
  }

  #tell({ onEvent }: PublishOptions, event: Parameters<NonNullable<PublishOptions['onEvent']>>[0]): void {
    try {
      onEvent?.(event)
    } catch (error) {
      this.#parts.logger.error('a listener of tunnel events threw', { reason: (error as Error).message })
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
