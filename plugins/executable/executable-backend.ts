import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Duplex } from 'node:stream'
import {
  ConfigError,
  UnreachableError,
  UnsupportedError,
  resetStream,
  type BackendCapabilities,
  type BackendState,
  type BackendStatus,
  type DialOptions,
  type Dialler,
  type DomainRegistration,
  type NetworkBackend,
  type NetworkStats,
  type Path,
  type PluginContext,
  type ResolutionContext,
  type TunnelInfo,
  type TunnelOptions,
} from '../../core/index.ts'
import { brokeProtocol, notRunning } from './failures.ts'
import { fetchHandedSocket } from './handed-socket.ts'
import { MAX_TUNNELS, STATUS_WAIT_MS } from './limits.ts'
import type { Destination, Method, Methods, NetworkType, Notification } from './messages.ts'
import { UNKNOWN_CAPABILITIES, assertOptions, readCapabilities, type ExecutableOptions } from './options.ts'
import { Supervisor } from './supervisor.ts'
import type { ExecutableSession, Introduction } from './session.ts'
import { ExecutableTunnel } from './tunnel.ts'

const NO_NETWORK: NetworkType = { networkType: 'unknown', addresses: { prefixes: [], suffixes: [] }, dialReveals: [] }

/** A backend whose network is carried by an executable in any language (docs/executable-backends.md). */
export class ExecutableBackend implements NetworkBackend, Dialler {
  readonly name: string
  readonly #context: Omit<PluginContext, 'config'>
  readonly #supervisor: Supervisor
  readonly #tunnels = new Map<string, ExecutableTunnel>()
  /** Tunnels that are being started: events reach them, lists do not. */
  readonly #starting = new Map<string, ExecutableTunnel>()
  /** What went through tunnels that are stopped. */
  #past = { bytesIn: 0, bytesOut: 0, totalStreams: 0 }
  #introduction: Introduction | undefined
  /** Declared beforehand, or told at the first start. */
  #capabilities: BackendCapabilities | undefined
  /** Streams that were dialled. */
  readonly #dialled = new Set<Socket>()
  #lastTunnel: string | undefined

  constructor(options: ExecutableOptions, context: Omit<PluginContext, 'config'>) {
    assertOptions(options)
    this.name = options.name
    this.#capabilities = options.capabilities === undefined ? undefined : readCapabilities(options.capabilities)
    this.#context = { ...context, logger: context.logger.child({ backend: options.name }) }
    this.#supervisor = new Supervisor(options, this.#context, {
      onNotification: (notification) => this.#receive(notification),
      onLost: (error) => {
        for (const tunnel of this.#tunnels.values()) tunnel.lost(error.message)
        this.#resetDialled()
      },
      onStarted: (session, introduction, waits) => this.#started(session, introduction, waits),
    })
  }

  /** Process id of the executable, for diagnostics; undefined while none runs. */
  get pid(): number | undefined {
    return this.#supervisor.session?.pid
  }

  async initialize(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#supervisor.start(options)
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const { signal } = options
    signal?.throwIfAborted()
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new ConfigError(`The port ${port} is not a whole number between 1 and 65535.`, { code: 'BEAM_ERR_PORT_INVALID' })
    }
    const session = this.#supervisor.running()
    this.#assertCan(options)
    const id = options.id ?? randomUUID()
    if (this.#tunnels.has(id) || this.#starting.has(id)) throw new ConfigError(`The backend “${this.name}” has a tunnel “${id}” already.`)
    if (this.#tunnels.size + this.#starting.size >= MAX_TUNNELS) {
      throw notRunning(this.name, `it has ${MAX_TUNNELS} tunnels, and more are not allowed`)
    }
    const { clock, logger } = this.#context
    const { exposesVisitorIp } = this.getCapabilities()
    const tunnel = await ExecutableTunnel.open({ backend: this.name, id, port, options, exposesVisitorIp, clock, logger })
    this.#starting.set(id, tunnel)
    try {
      signal?.throwIfAborted()
      await this.#publish(session, tunnel, 'first', signal)
      if (this.#supervisor.session !== session) throw notRunning(this.name, 'it ended while the tunnel was started')
    } catch (error) {
      await tunnel.close()
      // It may have published all the same: the answer was only not waited for.
      if (this.#supervisor.session === session) session.rpc.request('destroy_tunnel', { id }).catch(() => {})
      throw error
    } finally {
      this.#starting.delete(id)
    }
    this.#tunnels.set(id, tunnel)
    this.#lastTunnel = id
    return tunnel.info
  }

  async stopTunnel(tunnelId: string): Promise<void> {
    const tunnel = this.#tunnels.get(tunnelId)
    if (tunnel === undefined) return
    this.#tunnels.delete(tunnelId)
    try {
      // The executable stops letting visitors in before the door closes, so that none is cut off at the door.
      await this.#supervisor.session?.rpc.request('destroy_tunnel', { id: tunnelId })
    } catch (error) {
      this.#context.logger.warn('the executable did not end a tunnel in order', { tunnel: tunnelId, error: String(error) })
    }
    await this.#close(tunnel)
  }

  async getStatus(): Promise<BackendStatus> {
    const { session, state, message } = this.#supervisor
    const tunnels = [...this.#tunnels.values()].map(({ info }) => info)
    const version = this.#introduction?.version
    const own: BackendStatus = {
      state,
      ...(message === undefined ? {} : { message }),
      ...(version === undefined ? {} : { version }),
      tunnels,
    }
    if (state !== 'running' || session === undefined) return own
    const waited = new AbortController()
    const cancelTimer = this.#context.clock.after(STATUS_WAIT_MS, () => waited.abort(), { unref: true })
    try {
      const told = await session.rpc.request('status', {}, { signal: waited.signal })
      return { ...own, ...told, tunnels } satisfies BackendStatus & { state: BackendState }
    } catch {
      return { ...own, state: 'degraded', message: `The backend “${this.name}” is slow to answer.` }
    } finally {
      cancelTimer()
    }
  }

  async resolveDomain(domain: string, context: ResolutionContext): Promise<string> {
    context.signal?.throwIfAborted()
    this.#assertDomains()
    return (await this.#call('resolve_domain', { domain }, context.signal)).address
  }

  async registerDomain(
    domain: string,
    options: { readonly tunnelId?: string; readonly signal?: AbortSignal } = {},
  ): Promise<DomainRegistration> {
    options.signal?.throwIfAborted()
    this.#assertDomains()
    const tunnel = options.tunnelId ?? this.#lastTunnel
    if (tunnel === undefined || !this.#tunnels.has(tunnel))
      throw new ConfigError(`There is no tunnel that the domain ${domain} could point to.`)
    const { address, exclusive, expiresAt } = await this.#call('register_domain', { domain, tunnel }, options.signal)
    return { domain, address, exclusive, ...(expiresAt === undefined ? {} : { expiresAt }) }
  }

  /** What the executable told when it started; before that, the least that a backend can do and the most that it can reveal. */
  getCapabilities(): BackendCapabilities {
    return this.#capabilities ?? UNKNOWN_CAPABILITIES
  }

  async getNetworkStats(): Promise<NetworkStats> {
    let figures = { ...this.#past, openStreams: 0 }
    for (const { figures: now } of this.#tunnels.values()) {
      figures = {
        bytesIn: figures.bytesIn + now.bytesIn,
        bytesOut: figures.bytesOut + now.bytesOut,
        openStreams: figures.openStreams + now.openStreams,
        totalStreams: figures.totalStreams + now.totalStreams,
      }
    }
    const { session } = this.#supervisor
    if (session === undefined || this.#supervisor.state !== 'running') return figures
    const { peers, latencyMs } = await session.rpc.request('network_stats', {})
    return { ...figures, ...(peers === undefined ? {} : { peers }), ...(latencyMs === undefined ? {} : { latencyMs }) }
  }

  canDial(address: string): boolean {
    const { prefixes, suffixes } = this.#network.addresses
    return prefixes.some((prefix) => address.startsWith(prefix)) || suffixes.some((suffix) => address.endsWith(suffix))
  }

  async reach(address: string, options: DialOptions = {}): Promise<Path> {
    options.signal?.throwIfAborted()
    const { kind, hops, remoteAddress, latencyMs } = await this.#call('reach', this.#destination(address, options), options.signal)
    return {
      backend: this.name,
      kind,
      hops,
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      ...(latencyMs === undefined ? {} : { latencyMs }),
    }
  }

  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    options.signal?.throwIfAborted()
    const handed = await this.#call('dial', this.#destination(address, options), options.signal)
    const socket = await fetchHandedSocket(this.name, handed, options.signal)
    this.#dialled.add(socket)
    socket.once('close', () => this.#dialled.delete(socket))
    return socket
  }

  dialReveals(_address: string): readonly string[] {
    return this.#network.dialReveals
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop()
    this.#resetDialled()
    const tunnels = [...this.#tunnels.values()]
    this.#tunnels.clear()
    for (const tunnel of tunnels) await this.#close(tunnel)
  }

  /** The executable that carried them is gone. */
  #resetDialled(): void {
    for (const socket of this.#dialled) resetStream(socket, notRunning(this.name, 'it ended'))
  }

  get #network(): NetworkType {
    return this.#introduction?.networkType ?? NO_NETWORK
  }

  #call<M extends Method>(method: M, params: Methods[M]['params'], signal: AbortSignal | undefined): Promise<Methods[M]['result']> {
    return this.#supervisor.running().rpc.request(method, params, { signal })
  }

  #destination(address: string, { secret, isolation }: DialOptions): Destination {
    if (!this.canDial(address)) {
      throw new UnreachableError(`The backend “${this.name}” does not understand this address.`, {
        code: 'BEAM_ERR_ADDRESS_INVALID',
        retry: 'never',
      })
    }
    return { address, ...(secret === undefined ? {} : { secret }), ...(isolation === undefined ? {} : { isolation }) }
  }

  /** Access control that is not enforced, or a domain that nobody sees, must not be promised silently. */
  #assertCan({ access, domain }: TunnelOptions): void {
    const { accessControl } = this.getCapabilities()
    if (!accessControl && access !== undefined && ((access.allow?.length ?? 0) > 0 || access.secret !== undefined)) {
      throw new UnsupportedError(`The backend “${this.name}” cannot keep visitors out.`, {
        hint: 'Leave the access rules out, or use another backend.',
      })
    }
    if (domain !== undefined) this.#assertDomains()
  }

  #assertDomains(): void {
    if (!this.getCapabilities().supportsDomains) throw new UnsupportedError(`The backend “${this.name}” has no domains.`)
  }

  async #started(session: ExecutableSession, introduction: Introduction, { signal }: { readonly signal?: AbortSignal }): Promise<void> {
    this.#capabilities ??= introduction.capabilities
    if (!isDeepStrictEqual(this.#capabilities, introduction.capabilities)) {
      throw brokeProtocol(this.name, 'its capabilities are not those that it declared before')
    }
    this.#introduction = introduction
    await Promise.all([...this.#tunnels.values()].map((tunnel) => this.#republish(session, tunnel, signal)))
  }

  /** A tunnel that cannot be published again stays down; the others go on. */
  async #republish(session: ExecutableSession, tunnel: ExecutableTunnel, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#publish(session, tunnel, 'again', signal)
    } catch (error) {
      if (session.ended) throw error
      const message = error instanceof Error ? error.message : String(error)
      tunnel.tell({ type: 'warning', code: 'BEAM_ERR_BACKEND_UNAVAILABLE', message: `The tunnel could not be published again: ${message}` })
    }
  }

  async #publish(
    session: ExecutableSession,
    tunnel: ExecutableTunnel,
    how: 'first' | 'again',
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { id, endpoints } = await session.rpc.request('create_tunnel', tunnel.request, { signal })
    if (id !== tunnel.id) {
      const error = brokeProtocol(this.name, 'it answered create_tunnel with the id of another tunnel')
      await session.kill(error)
      throw error
    }
    tunnel.published(endpoints, how)
  }

  async #close(tunnel: ExecutableTunnel): Promise<void> {
    await tunnel.close()
    const { bytesIn, bytesOut, totalStreams } = tunnel.figures
    this.#past = {
      bytesIn: this.#past.bytesIn + bytesIn,
      bytesOut: this.#past.bytesOut + bytesOut,
      totalStreams: this.#past.totalStreams + totalStreams,
    }
  }

  #receive(notification: Exclude<Notification, { method: 'log' }>): void {
    const { tunnel: id } = notification.params
    const concerned =
      id === undefined ? [...this.#tunnels.values(), ...this.#starting.values()] : [this.#tunnels.get(id) ?? this.#starting.get(id)]
    for (const tunnel of concerned) {
      if (tunnel === undefined) continue
      switch (notification.method) {
        case 'progress': {
          const { phase, percent, message } = notification.params
          tunnel.tell({ type: 'progress', phase, ...(percent === undefined ? {} : { percent }), message })
          break
        }
        case 'address':
          tunnel.address(notification.params.address)
          break
        case 'state':
          tunnel.changed(notification.params.address, notification.params.state, notification.params.reason)
          break
        case 'warning':
          tunnel.tell({ type: 'warning', code: notification.params.code, message: notification.params.message })
      }
    }
  }
}
