import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import {
  assertPort,
  CleanupStack,
  ConfigError,
  generateIdentity,
  LocalService,
  looksLikeBeamAddress,
  openPins,
  parseBeamAddress,
  UnreachableError,
  type BackendCapabilities,
  type BackendState,
  type BackendStatus,
  type Dialler,
  type DialOptions,
  type DomainRegistration,
  type NetworkBackend,
  type NetworkStats,
  type Operable,
  type Path,
  type RecordKeeper,
  type RecordSource,
  type ResolutionContext,
  type ServiceRecord,
  type TunnelDescription,
  type TunnelEvent,
  type TunnelInfo,
  type TunnelOptions,
} from '../../core/index.ts'
import { assemble, reachesOut, type MeshComponents, type MeshParts } from './assemble.ts'
import { findRecord } from './find-record.ts'
import { MESH_OPERATIONS, operateMesh } from './network/operations.ts'
import { openToLan } from './lan.ts'
import { announcedEndpoints, reachOfBootstrap } from './local-addresses.ts'
import { meshName } from './mesh-name.ts'
import { resolveName, type NamesOptions } from './names.ts'
import { Published } from './published.ts'
import { dialReveals, publishReveals } from './sentences.ts'
import { TrafficCount } from './traffic.ts'

interface Running {
  readonly info: Omit<TunnelInfo, 'endpoints'>
  readonly published: Published
  readonly undo: CleanupStack
}

/**
 * Beam's own mesh: each tunnel is a listener that holds its service key; publishers are found by discovery and reached by a link.
 * It needs no daemon, no account and no network beyond the one between the two ends.
 */
export class MeshBackend implements NetworkBackend, Dialler, Operable, RecordKeeper, RecordSource {
  readonly name = 'mesh'
  readonly operations = MESH_OPERATIONS
  readonly #components: MeshComponents
  readonly #parts: MeshParts
  readonly #tunnels = new Map<string, Running>()
  readonly #starting = new Set<string>()
  readonly #traffic = new TrafficCount()
  #state: BackendState = 'idle'

  constructor(components: MeshComponents) {
    this.#components = components
    this.#parts = assemble(components)
  }

  async initialize(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    // There is nothing to wait for: tunnels listen at once, and the DHT comes up behind them.
    this.#state = 'running'
    // Who does something for others does so from the start.
    if (this.#components.config.participation !== 'light') await this.#parts.network.start()
    await this.#parts.serveDht(options.signal ?? new AbortController().signal)
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const { signal } = options
    signal?.throwIfAborted()
    assertPort(port)
    const id = options.id ?? randomBytes(6).toString('hex')
    if (this.#tunnels.has(id) || this.#starting.has(id)) throw new ConfigError(`The mesh has a tunnel ${id} already.`)
    this.#starting.add(id)
    await using undo = new CleanupStack()
    try {
      const published = await this.#publish(port, options, undo)
      signal?.throwIfAborted()
      const info = { id, backend: this.name, port, ...(options.name !== undefined && { name: options.name }) }
      const running: Running = { info, published, undo: undo.move() }
      this.#tunnels.set(id, running)
      return this.#infoOf(running)
    } finally {
      this.#starting.delete(id)
    }
  }

  async stopTunnel(tunnelId: string): Promise<void> {
    const running = this.#tunnels.get(tunnelId)
    this.#tunnels.delete(tunnelId)
    await running?.undo[Symbol.asyncDispose]()
  }

  async getStatus(): Promise<BackendStatus> {
    const message = this.#parts.mesh.discovery
      .sources()
      .map(({ name, state, detail }) => `${name}: ${state}${detail === undefined ? '' : ` (${detail})`}`)
      .join('; ')
    return { state: this.#state, message, tunnels: [...this.#tunnels.values()].map((running) => this.#infoOf(running)) }
  }

  async resolveDomain(domain: string, context: ResolutionContext): Promise<string> {
    return resolveName(domain, context, this.#names())
  }

  async registerDomain(
    domain: string,
    options: { readonly tunnelId?: string; readonly signal?: AbortSignal } = {},
  ): Promise<DomainRegistration> {
    options.signal?.throwIfAborted()
    const name = meshName(domain)
    const running = options.tunnelId === undefined ? [...this.#tunnels.values()].at(-1) : this.#tunnels.get(options.tunnelId)
    if (running === undefined)
      throw new UnreachableError('There is no tunnel that the name could stand for.', { code: 'BEAM_ERR_NOT_FOUND' })
    await running.published.claim(name)
    return { domain: name, address: running.published.address, exclusive: false }
  }

  getCapabilities(): BackendCapabilities {
    return {
      supportsDomains: true,
      supportsIPv6: true,
      relays: 0,
      maxThroughput: Infinity,
      anonymityLevel: 'none',
      censorshipResistance: 'low',
      delivery: 'stream',
      exposesPublisherIp: true,
      exposesVisitorIp: true,
      persistentAddresses: true,
      accessControl: true,
    }
  }

  async getNetworkStats(): Promise<NetworkStats> {
    const links = await this.#parts.links.links()
    const accepted = [...this.#tunnels.values()].reduce((sum, { published }) => sum + published.listener.links.length, 0)
    const latencies = links.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
    const median = latencies[Math.floor(latencies.length / 2)]
    return { ...this.#traffic.figures, peers: links.length + accepted, ...(median !== undefined && { latencyMs: median }) }
  }

  describeTunnel(tunnelId: string, description: TunnelDescription): void {
    this.#tunnels.get(tunnelId)?.published.describe(description)
  }

  async operate(operation: string, input: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    const { clock, config, paths } = this.#components
    return operateMesh(
      {
        slot: this.#parts.network,
        sources: this.#parts.sources,
        settings: config,
        bootstrap: this.#parts.bootstrap,
        history: this.#parts.history,
        clock,
        paths,
        names: () => this.#names(),
        tunnels: () => [...this.#tunnels.values()].map(({ info, published }) => ({ ...info, published })),
      },
      operation,
      input,
    )
  }

  canDial(address: string): boolean {
    return looksLikeBeamAddress(address)
  }

  async reach(address: string, options: DialOptions = {}): Promise<Path> {
    return this.#parts.links.reach(address, options)
  }

  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    return this.#parts.links.dial(address, options)
  }

  async findRecord(address: string, options: { readonly signal: AbortSignal }): Promise<ServiceRecord | undefined> {
    const { clock } = this.#components
    return findRecord(address, {
      discovery: this.#parts.mesh.discovery,
      now: () => clock.now(),
      fetchRecord: (one, signal) => this.#parts.links.fetchRecord(one, signal),
      signal: options.signal,
    })
  }

  dialReveals(address: string): readonly string[] {
    return dialReveals(parseBeamAddress(address), this.#components.discovery)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopping'
    this.#parts.links.close()
    // The tunnels first: peers are told that they end while there still are any.
    await Promise.all([...this.#tunnels.keys()].map((id) => this.stopTunnel(id)))
    await this.#parts.network[Symbol.asyncDispose]()
    await this.#parts.mesh.close()
    this.#state = 'stopped'
  }

  async #publish(port: number, options: TunnelOptions, undo: CleanupStack): Promise<Published> {
    const { config, discovery, clock, logger } = this.#components
    const { access, host = 'localhost' } = options
    const onEvent = (event: TunnelEvent): void => options.onEvent?.(event)
    const domain = options.domain === undefined ? undefined : meshName(options.domain)
    const local = options.onStream === undefined ? new LocalService({ host, port }, { clock, logger }) : undefined
    if (local !== undefined) undo.defer(() => local.close())
    const handler = options.onStream ?? (local as LocalService).handle
    const published = new Published({
      identity: options.identity ?? generateIdentity(),
      // The configured port can be had once; further tunnels take free ones.
      listen: { host: config.listen.host, port: this.#tunnels.size + this.#starting.size > 1 ? 0 : config.listen.port },
      maxLinks: config.maxLinks,
      access,
      discovery: this.#parts.mesh.discovery,
      within: reachOfBootstrap(discovery.bootstrap),
      handler,
      traffic: this.#traffic,
      clock,
      logger,
      onEvent,
      relays: () => this.#parts.network.network?.relayClient.endpoints ?? [],
      // A forwarded port leads to the one listener that has it.
      announce: this.#tunnels.size + this.#starting.size > 1 || config.participation !== 'light' ? [] : announcedEndpoints(config.announce),
      portMap: discovery.portmap && reachesOut(discovery),
      relayAt: (id) => this.#parts.network.network?.relayClient.at(id),
    })
    onEvent({ type: 'address', address: published.address })
    undo.defer(() => published[Symbol.asyncDispose]())
    await published.start(domain)
    this.#joinFor(published, undo)
    if (options.network?.['lan'] === true) {
      const lan = await openToLan({ host: config.listen.host, domain, access, handler, mdns: this.#parts.mesh.mdnsSocket, clock, onEvent })
      undo.defer(() => lan[Symbol.asyncDispose]())
    }
    return published
  }

  /** A service that the world cannot dial is made reachable through relays, in the background: nothing waits for the network. */
  #joinFor(published: Published, undo: CleanupStack): void {
    const { config, discovery, logger } = this.#components
    const wanted =
      config.participation !== 'light' ||
      config.peers.length > 0 ||
      discovery.dns !== undefined ||
      (reachesOut(discovery) && !published.isPublic)
    if (!wanted) return
    undo.defer(this.#parts.network.onRelays(() => published.onRelays()))
    let withdraw = (): void => {}
    undo.defer(() => withdraw())
    undo.defer(
      this.#parts.network.whenStarted((network) => {
        withdraw = network.serve(published.identity, (carrier) => published.listener.accept(carrier))
      }),
    )
    this.#parts.network.start().catch((error: unknown) => logger.warn('the node of the mesh did not start', { reason: String(error) }))
  }

  #names(): NamesOptions {
    const { paths, clock } = this.#components
    return {
      discovery: this.#parts.mesh.discovery,
      pins: openPins(paths),
      clock,
      fetchRecord: (address, signal) => this.#parts.links.fetchRecord(address, signal),
    }
  }

  #infoOf({ info, published }: Running): TunnelInfo {
    return { ...info, endpoints: [published.endpoint(publishReveals(this.#components.discovery))] }
  }
}
