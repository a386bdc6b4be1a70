import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import {
  BackendUnavailableError,
  ConfigError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
  assertPort,
  resetStream,
  type BackendCapabilities,
  type BackendState,
  type BackendStatus,
  type DialOptions,
  type Dialler,
  type DomainRegistration,
  type Logger,
  type NetworkBackend,
  type NetworkStats,
  type Path,
  type TunnelInfo,
  type TunnelOptions,
} from 'beam-tunnel/core'
import { parseAddress } from './address.ts'
import { KnownPorts } from './known-ports.ts'
import { Tunnel } from './tunnel.ts'

/** The backend's configuration block (schema.json). */
export interface TinCanConfig {
  /** How long a dial may take, in milliseconds. Default: 5000. */
  readonly connectTimeoutMs?: number
}

/** What the backend needs besides its configuration. */
export interface TinCanComponents {
  readonly logger: Logger
  /** Where the ports of named tunnels are kept. */
  readonly dataFolder: string
}

const CAPABILITIES: BackendCapabilities = {
  supportsDomains: false,
  supportsIPv6: false,
  maxThroughput: Infinity,
  anonymityLevel: 'none',
  censorshipResistance: 'none',
  delivery: 'stream',
  exposesPublisherIp: true,
  exposesVisitorIp: true,
  persistentAddresses: true,
  accessControl: false,
}

/** The tin-can network: TCP on 127.0.0.1. It hides nothing; replace what it does by what your network does, and keep the tests green. */
export class TinCanBackend implements NetworkBackend, Dialler {
  readonly name = 'tin-can'
  readonly #connectTimeoutMs: number
  readonly #logger: Logger
  readonly #ports: KnownPorts
  readonly #tunnels = new Map<string, Tunnel>()
  readonly #dialled = new Set<Socket>()
  #past = { bytesIn: 0, bytesOut: 0, totalStreams: 0 }
  #state: BackendState = 'idle'

  /** No I/O here: it comes in `initialize`. */
  constructor(config: TinCanConfig, { logger, dataFolder }: TinCanComponents) {
    this.#connectTimeoutMs = config.connectTimeoutMs ?? 5_000
    this.#logger = logger
    this.#ports = new KnownPorts(dataFolder)
  }

  async initialize({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#state === 'stopped') throw new BackendUnavailableError('The tin-can backend was stopped.')
    this.#state = 'running'
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    options.signal?.throwIfAborted()
    assertPort(port)
    this.#assertRunning()
    // What cannot be enforced must not be promised silently.
    if ((options.access?.allow?.length ?? 0) > 0 || options.access?.secret !== undefined) {
      throw new UnsupportedError('The tin-can network cannot keep visitors out.')
    }
    if (options.domain !== undefined) throw noDomains()
    const id = options.id ?? randomUUID()
    if (this.#tunnels.has(id)) throw new ConfigError(`There is a tunnel “${id}” already.`)
    const tunnel = new Tunnel(id, port, options)
    this.#tunnels.set(id, tunnel)
    try {
      await this.#listen(tunnel, options.name)
      options.signal?.throwIfAborted()
      this.#assertRunning()
    } catch (error) {
      this.#tunnels.delete(id)
      await tunnel.close()
      throw error
    }
    options.onEvent?.({ type: 'address', address: tunnel.address })
    this.#logger.info('tunnel started', { tunnel: id })
    return tunnel.info
  }

  async stopTunnel(tunnelId: string): Promise<void> {
    const tunnel = this.#tunnels.get(tunnelId)
    if (tunnel === undefined) return
    this.#tunnels.delete(tunnelId)
    await tunnel.close()
    const { bytesIn, bytesOut, totalStreams } = tunnel.figures
    this.#past = {
      bytesIn: this.#past.bytesIn + bytesIn,
      bytesOut: this.#past.bytesOut + bytesOut,
      totalStreams: this.#past.totalStreams + totalStreams,
    }
  }

  async getStatus(): Promise<BackendStatus> {
    return { state: this.#state, tunnels: [...this.#tunnels.values()].map(({ info }) => info) }
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
    const sum = { ...this.#past, openStreams: 0 }
    for (const { figures } of this.#tunnels.values()) {
      sum.bytesIn += figures.bytesIn
      sum.bytesOut += figures.bytesOut
      sum.openStreams += figures.openStreams
      sum.totalStreams += figures.totalStreams
    }
    return sum
  }

  canDial(address: string): boolean {
    return parseAddress(address) !== undefined
  }

  async reach(address: string, { signal }: DialOptions = {}): Promise<Path> {
    const started = performance.now()
    const socket = await this.#open(address, signal)
    const latencyMs = performance.now() - started
    socket.resetAndDestroy()
    return { backend: this.name, kind: 'direct', hops: 0, latencyMs }
  }

  async dial(address: string, { signal }: DialOptions = {}): Promise<Socket> {
    const socket = await this.#open(address, signal)
    this.#dialled.add(socket)
    socket.once('close', () => this.#dialled.delete(socket))
    return socket
  }

  dialReveals(): readonly string[] {
    return ['That somebody on this machine connects.']
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopped'
    for (const socket of this.#dialled) resetStream(socket, new Error('the backend was stopped'))
    for (const id of [...this.#tunnels.keys()]) await this.stopTunnel(id)
  }

  #assertRunning(): void {
    if (this.#state !== 'running') throw new BackendUnavailableError('The tin-can backend is not running.')
  }

  /** A name has the same port every time, and it is stored before it is used by anybody. */
  async #listen(tunnel: Tunnel, name: string | undefined): Promise<void> {
    const known = name === undefined ? undefined : await this.#ports.get(name)
    try {
      const port = await tunnel.listen(known)
      if (name !== undefined && known === undefined) await this.#ports.set(name, port)
    } catch (cause) {
      if (known === undefined) throw new BackendUnavailableError('The tin-can network has no free port.', { cause })
      throw new BackendUnavailableError(`The name ${name} is in use.`, { code: 'BEAM_ERR_NAME_IN_USE', cause })
    }
  }

  #open(address: string, signal: AbortSignal | undefined): Promise<Socket> {
    const port = parseAddress(address)
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      if (port === undefined) return reject(new UnreachableError('This is no tin-can address.', { code: 'BEAM_ERR_ADDRESS_INVALID' }))
      this.#assertRunning()
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
      const timer = setTimeout(() => settle(new TimeoutError('The address does not answer.')), this.#connectTimeoutMs)
      const settle = (error?: unknown): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        socket.off('error', onError)
        if (error === undefined) return resolve(socket)
        socket.on('error', () => {}).destroy()
        reject(error)
      }
      const onAbort = (): void => settle(signal?.reason)
      const onError = (cause: Error): void =>
        settle(new UnreachableError('Nobody answers at this address.', { code: 'BEAM_ERR_NOT_FOUND', cause }))
      signal?.addEventListener('abort', onAbort, { once: true })
      socket.once('error', onError)
      socket.once('connect', () => settle())
    })
  }
}

function noDomains(): UnsupportedError {
  return new UnsupportedError('The tin-can network has no domains.')
}
