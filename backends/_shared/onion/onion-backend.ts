import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { join } from 'node:path'
import {
  assertPort,
  BackendUnavailableError,
  CleanupStack,
  ConfigError,
  type BackendCapabilities,
  type BackendStatus,
  type Dialler,
  type DialOptions,
  type DomainRegistration,
  type KeyKeeper,
  type NetworkBackend,
  type NetworkStats,
  type Operable,
  type Path,
  type PluginContext,
  type Progress,
  type TunnelEvent,
  type TunnelInfo,
  type TunnelOptions,
} from '../../../core/index.ts'
import { formatAddress, looksLikeAddress, parseAddress } from './address.ts'
import { attaches, type OnionConfig } from './config.ts'
import { countConnections } from './control/circuits.ts'
import { attachDaemon } from './daemon/attached-daemon.ts'
import { startOwnDaemon } from './daemon/own-daemon.ts'
import { Supervisor } from './daemon/supervisor.ts'
import { OnionDialler, pathOf } from './dialler.ts'
import { partLogger, type Flavour } from './flavour.ts'
import { AuthorizedClients } from './keys/authorized-clients.ts'
import { OnionKeyStore } from './keys/onion-key-store.ts'
import { generateOnionKey, type OnionKey } from './keys/onion-key.ts'
import { operate, OPERATIONS, viewOf, type ServiceView } from './operations.ts'
import { prepareTargets } from './service/local-target.ts'
import { OnionService } from './service/onion-service.ts'
import { publishOptions, type OnionPublishOptions } from './service/publish-options.ts'
import { capabilitiesOf, dialReveals, noDomains, NOT_ANONYMOUS, publishReveals, refuseWhatCannotBe } from './statements.ts'
import { until } from './until.ts'

/** How long joining may stand still before a tunnel or a connection gives up, unless the configuration says otherwise. */
const STALL_MS = 120_000

/** What a backend of this kind is made of. */
export type OnionComponents = PluginContext<OnionConfig>

interface Running {
  readonly info: Omit<TunnelInfo, 'endpoints'>
  readonly service: OnionService
  readonly addresses: readonly string[]
  readonly options: OnionPublishOptions
  readonly undo: CleanupStack
}

/**
 * A network of onion services: one daemon for all tunnels of the process, started by us or attached to. Visitors go from the daemon to the
 * local port directly.
 */
export class OnionBackend implements NetworkBackend, Dialler, Operable, KeyKeeper {
  readonly name: string
  readonly operations = OPERATIONS
  readonly #flavour: Flavour
  readonly #components: OnionComponents
  readonly #supervisor: Supervisor
  readonly #dialler: OnionDialler
  readonly #keys: OnionKeyStore
  readonly #clients: AuthorizedClients
  readonly #tunnels = new Map<string, Running>()
  readonly #starting = new Map<string, AbortController>()
  readonly #stallMs: number
  #warned = false

  constructor(flavour: Flavour, components: OnionComponents) {
    const { config, paths, clock, logger } = components
    this.name = flavour.backend
    this.#flavour = flavour
    this.#components = components
    const daemon = { flavour, config, paths, clock, logger: partLogger(logger, flavour, 'daemon') }
    const open = attaches(config) ? attachDaemon : startOwnDaemon
    this.#supervisor = new Supervisor({ open: (signal) => open(daemon, signal), clock, logger: daemon.logger })
    this.#stallMs = config.stall_seconds === undefined ? STALL_MS : config.stall_seconds * 1000
    this.#dialler = new OnionDialler({ flavour, supervisor: this.#supervisor, clock, stallMs: this.#stallMs })
    const folder = join(paths.data, flavour.folder)
    this.#keys = new OnionKeyStore(folder, flavour)
    this.#clients = new AuthorizedClients(folder)
  }

  async initialize({
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void } = {}): Promise<void> {
    signal?.throwIfAborted()
    const { title } = this.#flavour
    onProgress?.({
      phase: 'daemon',
      message: attaches(this.#components.config) ? `Connecting to the ${title} daemon` : `Starting the ${title} daemon`,
    })
    // Joining the network goes on behind: an address is known before, and each tunnel says how far it is.
    const started = this.#supervisor.start()
    if (signal === undefined) return started
    await until<void>(signal, (resolve, reject) => {
      const onAbort = (): void => void this.#supervisor.close()
      signal.addEventListener('abort', onAbort, { once: true })
      started.then(resolve, reject)
      return () => signal.removeEventListener('abort', onAbort)
    })
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const { signal } = options
    signal?.throwIfAborted()
    assertPort(port)
    if (this.#supervisor.ended.aborted || this.#supervisor.state === 'idle') {
      throw new BackendUnavailableError(`The ${this.name} backend does not run.`)
    }
    refuseWhatCannotBe(options, this.#flavour)
    const id = options.id ?? randomBytes(6).toString('hex')
    if (this.#tunnels.has(id) || this.#starting.has(id)) throw new ConfigError(`${this.name} has a tunnel ${id} already.`)
    const ended = new AbortController()
    this.#starting.set(id, ended)
    const stack = new CleanupStack()
    try {
      const both = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal])
      const running = await this.#publish(port, id, options, stack, both)
      this.#tunnels.set(id, running)
      return this.#infoOf(running)
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    } finally {
      this.#starting.delete(id)
    }
  }

  async stopTunnel(tunnelId: string): Promise<void> {
    this.#starting.get(tunnelId)?.abort(new BackendUnavailableError('The tunnel was stopped.'))
    const running = this.#tunnels.get(tunnelId)
    this.#tunnels.delete(tunnelId)
    await running?.undo[Symbol.asyncDispose]()
  }

  async getStatus(): Promise<BackendStatus> {
    const { state, message, session } = this.#supervisor
    return {
      state,
      ...(message === undefined ? {} : { message }),
      ...(session === undefined ? {} : { version: session.version }),
      tunnels: [...this.#tunnels.values()].map((running) => this.#infoOf(running)),
    }
  }

  async resolveDomain(): Promise<string> {
    throw noDomains(this.#flavour)
  }

  async registerDomain(): Promise<DomainRegistration> {
    throw noDomains(this.#flavour)
  }

  getCapabilities(): BackendCapabilities {
    return capabilitiesOf(this.#components.config)
  }

  /** Bytes go past Beam, and what the daemon counts is not what tunnels moved: neither is told. */
  async getNetworkStats(): Promise<NetworkStats> {
    const text = await this.#supervisor.session?.control.getInfo('orconn-status').catch(() => undefined)
    return text === undefined ? {} : { peers: countConnections(text) }
  }

  canDial(address: string): boolean {
    return this.#components.config.non_anonymous !== true && looksLikeAddress(address, this.#flavour)
  }

  async reach(address: string, options: DialOptions = {}): Promise<Path> {
    // A service of this process that has just been reached through the network by its own check is not looked for a second time.
    if (options.signal?.aborted !== true && this.canDial(address)) {
      const { id } = parseAddress(address, this.#flavour)
      const own = [...this.#tunnels.values()].find(({ service }) => service.id === id)?.service
      if (own?.justReachedMs !== undefined) return pathOf(this.#flavour, own.justReachedMs)
    }
    return this.#dialler.reach(address, options)
  }

  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    return this.#dialler.dial(address, options)
  }

  dialReveals(): readonly string[] {
    return dialReveals(this.#flavour)
  }

  async operate(operation: string, input: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    return operate(operation, input, {
      flavour: this.#flavour,
      supervisor: this.#supervisor,
      clients: this.#clients,
      services: () => this.#services(),
      renew: (name) => this.#renew(name),
    })
  }

  async exportKeys(name: string): Promise<Uint8Array | undefined> {
    return this.#keys.exportKey(name)
  }

  async importKeys(name: string, material: Uint8Array, { replace = false }: { readonly replace?: boolean } = {}): Promise<void> {
    await this.#keys.importKey(name, material, { replace })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dialler.close()
    // Services end with their connection; withdrawing each first would only take longer.
    const closed = this.#supervisor.close()
    const ids = new Set([...this.#tunnels.keys(), ...this.#starting.keys()])
    await Promise.all([closed, ...[...ids].map((id) => this.stopTunnel(id))])
  }

  async #publish(port: number, id: string, options: TunnelOptions, undo: CleanupStack, signal: AbortSignal): Promise<Running> {
    const { config, clock, logger } = this.#components
    const { name } = options
    const flavour = this.#flavour
    const chosen = publishOptions(options.network, config, this.name)
    const onEvent = (event: TunnelEvent): void => options.onEvent?.(event)
    const key = await this.#key(name, chosen)
    const addresses = chosen.ports.map((one) => formatAddress(key.id, one.port, flavour))
    for (const address of addresses) onEvent({ type: 'address', address })
    this.#warn(onEvent)
    const service = new OnionService({
      flavour,
      supervisor: this.#supervisor,
      clock,
      logger: partLogger(logger, flavour, 'service'),
      key,
      targets: await prepareTargets({ backend: this.name, port, tunnel: options, ports: chosen.ports, clock, logger }, undo),
      clients: () => this.#allowed(name, chosen),
      options: chosen,
      nonAnonymous: config.non_anonymous === true,
      stallMs: this.#stallMs,
      addresses,
      onEvent,
    })
    undo.defer(() => service.stop())
    await service.start(signal)
    const info = { id, backend: this.name, port, ...(name === undefined ? {} : { name }) }
    return { info, service, addresses, options: chosen, undo }
  }

  /** On the disk before it is used, where a name is to keep its address. */
  async #key(name: string | undefined, { transient }: OnionPublishOptions): Promise<OnionKey> {
    const key = name === undefined || transient ? generateOnionKey(this.#flavour) : await this.#keys.serviceKey(name)
    if (![...this.#tunnels.values()].some(({ service }) => service.id === key.id)) return key
    throw new BackendUnavailableError(`The name "${name ?? ''}" is published by this process already.`, {
      code: 'BEAM_ERR_NAME_IN_USE',
      hint: 'End that tunnel first, or choose another name with --name.',
    })
  }

  /** Said with every tunnel that it concerns, and what belongs to the daemon once. */
  #warn(onEvent: (event: TunnelEvent) => void): void {
    if (this.#components.config.non_anonymous === true)
      onEvent({ type: 'warning', code: 'BEAM_WARN_NON_ANONYMOUS', message: NOT_ANONYMOUS })
    const { session } = this.#supervisor
    if (session === undefined || this.#warned) return
    this.#warned = true
    for (const warning of session.warnings) onEvent({ type: 'warning', ...warning })
  }

  /** Who may visit; undefined = everybody. */
  async #allowed(name: string | undefined, { clients, transient }: OnionPublishOptions): Promise<readonly string[] | undefined> {
    const stored = name === undefined || transient ? undefined : await this.#clients.read(name)
    if (clients.length === 0 && stored?.protected !== true) return undefined
    return [...new Set([...clients, ...(stored?.clients ?? []).map(({ publicKey }) => publicKey)])]
  }

  async #services(): Promise<readonly ServiceView[]> {
    const running = [...this.#tunnels.values()]
    return Promise.all(running.map(async (one) => viewOf(one, await this.#allowed(one.info.name, one.options))))
  }

  async #renew(name: string): Promise<number> {
    const named = [...this.#tunnels.values()].filter((running) => running.info.name === name && !running.options.transient)
    await Promise.all(named.map(({ service }) => service.renew()))
    return named.length
  }

  #infoOf({ info, service, addresses }: Running): TunnelInfo {
    const reveals = publishReveals(this.#flavour, this.#components.config)
    return { ...info, endpoints: addresses.map((address) => ({ backend: this.name, address, state: service.state, reveals })) }
  }
}
