import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import {
  assertPort,
  BackendUnavailableError,
  CleanupStack,
  ConfigError,
  LocalService,
  resetStream,
  UnsupportedError,
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
  type PluginContext,
  type Progress,
  type TunnelEvent,
  type TunnelInfo,
  type TunnelOptions,
} from '../../core/index.ts'
import { CAPABILITIES, OPERATIONS } from './capabilities.ts'
import type { AnonetConfig } from './config.generated.ts'
import { WATCH_MS } from './constants.ts'
import { dialMesh, type DialParts } from './dial-mesh.ts'
import { CircleStore } from './managed/circle-store.ts'
import { FriendDesk } from './managed/friend-desk.ts'
import { parsePlace, parsePrefix, type Prefix } from './mesh-address.ts'
import type { Mesh, MeshHealth } from './mesh.ts'
import { openMesh } from './open-mesh.ts'
import { parsePublishWishes } from './publish-options.ts'
import { Published } from './published.ts'
import { DIAL_REVEALS } from './sentences.ts'
import { ServicePorts } from './service-ports.ts'
import { TrafficCount } from './traffic.ts'

/** What the backend is made of. */
export type AnonetComponents = PluginContext<AnonetConfig>

interface Running {
  readonly info: Omit<TunnelInfo, 'endpoints'>
  readonly published: Published
  readonly undo: CleanupStack
}

/** A mesh of friends: WireGuard links between people who know each other, with BGP between them. */
export class AnonetBackend implements NetworkBackend, Dialler, Operable {
  readonly name = 'anonet'
  readonly operations = OPERATIONS
  readonly #components: AnonetComponents
  readonly #range: Prefix
  readonly #store: CircleStore
  readonly #desk: FriendDesk
  readonly #ports: ServicePorts
  readonly #tunnels = new Map<string, Running>()
  readonly #starting = new Set<string>()
  readonly #dialled = new Set<Socket>()
  readonly #traffic = new TrafficCount()
  #state: BackendState = 'idle'
  #mesh: Mesh | undefined
  #opening: Promise<Mesh> | undefined
  #health: MeshHealth = { reachable: false, reason: 'not started', sessions: [] }
  #stopWatch: () => void = () => {}

  constructor(components: AnonetComponents) {
    this.#components = components
    const { config, paths, clock } = components
    this.#range = rangeOf(config.range)
    this.#store = new CircleStore(paths)
    this.#desk = new FriendDesk({ store: this.#store, config, range: this.#range, clock })
    this.#ports = new ServicePorts(paths)
  }

  async initialize({
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void } = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#mesh !== undefined) return
    if (this.#state === 'stopped' || this.#state === 'stopping') throw new BackendUnavailableError('The anonet backend was stopped.')
    this.#state = 'starting'
    try {
      this.#opening ??= this.#open({ ...(signal && { signal }), ...(onProgress && { onProgress }) })
      await this.#opening
    } catch (error) {
      if (this.#state === 'starting') this.#state = 'failed'
      throw error
    } finally {
      this.#opening = undefined
    }
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const { signal, access } = options
    signal?.throwIfAborted()
    assertPort(port)
    const mesh = this.#running()
    if ((access?.allow?.length ?? 0) > 0 || access?.secret !== undefined) {
      throw new UnsupportedError('anonet knows no visitor keys.', {
        hint: 'Visitors can be let in by their address in the mesh: --anonet-sources.',
      })
    }
    if (options.domain !== undefined) throw noDomains()
    const wishes = parsePublishWishes(options.network)
    const id = options.id ?? randomBytes(6).toString('hex')
    if (this.#tunnels.has(id) || this.#starting.has(id)) throw new ConfigError(`anonet has a tunnel ${id} already.`)
    this.#starting.add(id)
    await using undo = new CleanupStack()
    try {
      const { clock, logger } = this.#components
      const local =
        options.onStream === undefined ? new LocalService({ host: options.host ?? 'localhost', port }, { clock, logger }) : undefined
      if (local !== undefined) undo.defer(() => local.close())
      const onEvent = (event: TunnelEvent): void => options.onEvent?.(event)
      const handler = options.onStream ?? (local as LocalService).handle
      const published = new Published({ mesh, sources: wishes.sources, handler, traffic: this.#traffic, logger, onEvent })
      undo.defer(() => published[Symbol.asyncDispose]())
      const stored = options.name === undefined ? undefined : await this.#ports.get(options.name)
      const fixed = wishes.port ?? stored
      await published.listen(fixed === undefined ? [port, 0] : [fixed])
      if (options.name !== undefined && wishes.port === undefined) await this.#ports.set(options.name, published.port)
      signal?.throwIfAborted()
      published.heard(this.#health)
      onEvent({ type: 'address', address: published.address })
      if (fixed === undefined && published.port !== port) {
        onEvent({
          type: 'warning',
          code: 'BEAM_WARN_PORT',
          message: `Port ${port} is taken at ${mesh.address}: in the mesh it is ${published.port}.`,
        })
      }
      const info = { id, backend: this.name, port, ...(options.name !== undefined && { name: options.name }) }
      const running: Running = { info, published, undo: undo.move() }
      this.#tunnels.set(id, running)
      return { ...info, endpoints: [published.endpoint()] }
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
    const version = this.#mesh?.version
    const state = this.#state === 'running' && !this.#health.reachable ? 'degraded' : this.#state
    return {
      state,
      message: this.#health.reason,
      ...(version !== undefined && { version }),
      tunnels: [...this.#tunnels.values()].map(({ info, published }) => ({ ...info, endpoints: [published.endpoint()] })),
    }
  }

  async resolveDomain(): Promise<string> {
    throw noDomains()
  }

  async registerDomain(): Promise<DomainRegistration> {
    throw noDomains()
  }

  getCapabilities(): BackendCapabilities {
    return CAPABILITIES
  }

  async getNetworkStats(): Promise<NetworkStats> {
    return { ...this.#traffic.figures, peers: this.#health.sessions.filter(({ established }) => established).length }
  }

  canDial(address: string): boolean {
    return parsePlace(address, this.#range) !== undefined
  }

  async reach(address: string, options: DialOptions = {}): Promise<Path> {
    const began = this.#components.clock.monotonic()
    const socket = await dialMesh(address, options, this.#dialParts())
    const latencyMs = this.#components.clock.monotonic() - began
    resetStream(socket, new Error('only looked whether it answers'))
    return { backend: this.name, kind: 'mesh', hops: 0, latencyMs }
  }

  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    const socket = await dialMesh(address, options, this.#dialParts())
    this.#dialled.add(socket)
    socket.once('close', () => this.#dialled.delete(socket))
    return socket
  }

  dialReveals(): readonly string[] {
    return DIAL_REVEALS
  }

  async operate(
    operation: string,
    input: Readonly<Record<string, unknown>> = {},
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    signal?.throwIfAborted()
    switch (operation) {
      case 'invite':
        return this.#desk.invite(input)
      case 'accept':
        return this.#desk.accept(input)
      case 'revoke':
        return this.#desk.revoke(input)
      case 'friends':
        return this.#desk.friends()
      case 'status':
        if (this.#mesh === undefined) return { state: this.#state, message: this.#health.reason }
        return { state: (await this.getStatus()).state, message: this.#health.reason, ...(await this.#mesh.status()) }
      default:
        throw new UnsupportedError(`anonet has no operation ${JSON.stringify(operation.slice(0, 64))}.`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopping'
    this.#stopWatch()
    await this.#opening?.catch(() => {})
    this.#resetDialled('the backend was stopped')
    await Promise.all([...this.#tunnels.keys()].map((id) => this.stopTunnel(id)))
    const mesh = this.#mesh
    this.#mesh = undefined
    await mesh?.[Symbol.asyncDispose]()
    this.#state = 'stopped'
  }

  async #open(options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void }): Promise<Mesh> {
    const { config, paths, clock, logger } = this.#components
    const mesh = await openMesh({ config, range: this.#range, store: this.#store, desk: this.#desk, paths, clock, logger }, options)
    if (this.#state !== 'starting') {
      await mesh[Symbol.asyncDispose]()
      throw new BackendUnavailableError('The anonet backend was stopped while it started.')
    }
    this.#mesh = mesh
    mesh.onLost = () => this.#resetDialled('the mesh was lost')
    mesh.onRestart = () => void this.#listenAgain()
    await this.#look(mesh)
    this.#stopWatch = clock.every(WATCH_MS, () => void this.#look(mesh))
    this.#state = 'running'
    return mesh
  }

  async #look(mesh: Mesh): Promise<void> {
    const health = await mesh.health()
    if (this.#mesh !== mesh) return
    this.#health = health
    for (const { published } of this.#tunnels.values()) published.heard(health)
  }

  async #listenAgain(): Promise<void> {
    for (const { published } of this.#tunnels.values()) {
      await published
        .listenAgain()
        .catch((error: Error) => this.#components.logger.warn('a service is not published again', { reason: error.message }))
    }
  }

  #resetDialled(reason: string): void {
    for (const socket of this.#dialled) resetStream(socket, new Error(reason))
  }

  #dialParts(): DialParts {
    return { range: this.#range, mesh: this.#running(), clock: this.#components.clock, health: () => this.#health }
  }

  #running(): Mesh {
    if (this.#mesh === undefined) throw new BackendUnavailableError('The anonet backend is not running.')
    return this.#mesh
  }
}

function rangeOf(text: string): Prefix {
  const range = parsePrefix(text)
  if (range === undefined) throw new ConfigError(`${text} is no IPv4 prefix.`, { hint: 'Like this: 21.0.0.0/8' })
  return range
}

function noDomains(): UnsupportedError {
  return new UnsupportedError('anonet has no domains.')
}
