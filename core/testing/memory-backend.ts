import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type {
  AccessPolicy,
  BackendState,
  BackendStatus,
  DomainRegistration,
  NetworkBackend,
  NetworkStats,
  ResolutionContext,
  TunnelInfo,
  TunnelOptions,
  Visitor,
} from '../backend.ts'
import type { Dialler, DialOptions, Path } from '../powers.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import { BackendUnavailableError, ConfigError, UnreachableError } from '../errors.ts'
import { encodeKey } from '../identity/address.ts'
import { signWith, verifySignature } from '../identity/identity.ts'
import { resetStream } from '../streams/index.ts'
import { newTunnelId } from '../tunnels/ids.ts'
import { assertPort, LocalService } from '../tunnels/local-service.ts'
import { isMemoryAddress, MemoryNetwork, type MemoryListener } from './memory-network.ts'
import { MemoryStream } from '../streams/memory-stream.ts'

interface Tunnel {
  readonly info: TunnelInfo
  readonly address: string
  readonly service: LocalService
  readonly streams: Set<MemoryStream>
}

/**
 * A network inside one process: instances that share a {@link MemoryNetwork} reach each other. Tunnels publish real local ports; nothing but
 * the connection to the local port leaves the process. For tests of what stands above a backend, and for trying Beam without any network.
 *
 * @example
 * const network = new MemoryNetwork()
 * const publisher = new MemoryBackend({ network })
 * const visitor = new MemoryBackend({ network })
 * const { endpoints } = await publisher.startTunnel(3000)
 * const stream = await visitor.dial(endpoints[0].address)
 */
export class MemoryBackend implements NetworkBackend, Dialler {
  readonly name: string
  protected readonly network: MemoryNetwork
  readonly #tunnels = new Map<string, Tunnel>()
  readonly #dialled = new Set<MemoryStream>()
  #state: BackendState = 'idle'
  #bytesIn = 0
  #bytesOut = 0
  #totalStreams = 0

  constructor(options: { readonly network?: MemoryNetwork; readonly name?: string } = {}) {
    this.network = options.network ?? new MemoryNetwork()
    this.name = options.name ?? 'memory'
  }

  async initialize(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    if (this.#state === 'stopped') throw new BackendUnavailableError('The backend was disposed of.', { retry: 'never' })
    this.#state = 'running'
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const { signal, host = 'localhost', id = newTunnelId() } = options
    signal?.throwIfAborted()
    assertPort(port)
    await this.initialize()
    signal?.throwIfAborted()
    if (this.#tunnels.has(id)) throw new ConfigError(`The tunnel id ${id} is in use.`)

    const service = new LocalService({ host, port })
    const streams = new Set<MemoryStream>()
    const listener = this.#listener(options, service, streams)
    const address = this.network.listen(options.name, listener)
    try {
      if (options.domain !== undefined) this.network.claim(options.domain, address)
    } catch (error) {
      this.network.unlisten(address)
      throw error
    }
    const endpoint = { backend: this.name, address, state: 'active', reveals: ['Nothing: the network is inside one process.'] } as const
    const info: TunnelInfo = {
      id,
      backend: this.name,
      port,
      endpoints: [endpoint],
      ...(options.name === undefined ? {} : { name: options.name }),
    }
    this.#tunnels.set(id, { info, address, service, streams })
    options.onEvent?.({ type: 'address', address })
    options.onEvent?.({ type: 'state', address, state: 'active', reason: 'published' })
    return info
  }

  #listener(options: TunnelOptions, service: LocalService, streams: Set<MemoryStream>): MemoryListener {
    const handle = options.onStream ?? service.handle
    return {
      admit: (visitor) => admit(options.access, visitor),
      accept: (stream, { identity }) => {
        streams.add(stream)
        this.#totalStreams += 1
        stream.once('close', () => {
          streams.delete(stream)
          this.#bytesIn += stream.bytesRead
          this.#bytesOut += stream.bytesWritten
        })
        const visitor: Visitor = {
          backend: this.name,
          ...(identity === undefined ? {} : { key: encodeKey('visitor', identity.publicKey) }),
        }
        handle(stream, visitor)
      },
      message: (message, replyTo) => this.receive(message, replyTo),
    }
  }

  /** Takes a message that came to one of the tunnels; this network has none (see MemoryMessageBackend). */
  protected receive(_message: Uint8Array, _replyTo: string | undefined): void {}

  async stopTunnel(tunnelId: string): Promise<void> {
    const tunnel = this.#tunnels.get(tunnelId)
    if (tunnel === undefined) return
    this.#tunnels.delete(tunnelId)
    this.network.unlisten(tunnel.address)
    tunnel.service.close()
    for (const stream of tunnel.streams) resetStream(stream, new Error('the tunnel was stopped'))
  }

  async getStatus(): Promise<BackendStatus> {
    return { state: this.#state, tunnels: [...this.#tunnels.values()].map(({ info }) => info) }
  }

  async getNetworkStats(): Promise<NetworkStats> {
    const open = [...this.#tunnels.values()].flatMap(({ streams }) => [...streams])
    const sum = (of: (stream: MemoryStream) => number, start: number): number => open.reduce((total, stream) => total + of(stream), start)
    return {
      bytesIn: sum((stream) => stream.bytesRead, this.#bytesIn),
      bytesOut: sum((stream) => stream.bytesWritten, this.#bytesOut),
      openStreams: open.length,
      totalStreams: this.#totalStreams,
    }
  }

  async resolveDomain(domain: string, context: ResolutionContext): Promise<string> {
    context.signal?.throwIfAborted()
    return this.network.resolve(domain)
  }

  async registerDomain(
    domain: string,
    options: { readonly tunnelId?: string; readonly signal?: AbortSignal } = {},
  ): Promise<DomainRegistration> {
    options.signal?.throwIfAborted()
    const tunnel = options.tunnelId === undefined ? [...this.#tunnels.values()].at(-1) : this.#tunnels.get(options.tunnelId)
    if (tunnel === undefined) throw new ConfigError('There is no such tunnel for the domain to point to.')
    this.network.claim(domain, tunnel.address)
    return { domain, address: tunnel.address, exclusive: true }
  }

  getCapabilities(): BackendCapabilities {
    return {
      supportsDomains: true,
      supportsIPv6: true,
      maxThroughput: Infinity,
      anonymityLevel: 'none',
      censorshipResistance: 'none',
      delivery: 'stream',
      exposesPublisherIp: false,
      exposesVisitorIp: false,
      persistentAddresses: true,
      accessControl: true,
    }
  }

  canDial(address: string): boolean {
    return isMemoryAddress(address)
  }

  async reach(address: string, options: DialOptions = {}): Promise<Path> {
    options.signal?.throwIfAborted()
    this.network.listener(address).admit(options)
    return { backend: this.name, kind: 'direct', hops: 0 }
  }

  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    await this.initialize(options)
    options.signal?.throwIfAborted()
    const listener = this.network.listener(address)
    listener.admit(options)
    const [near, far] = MemoryStream.pair()
    this.#dialled.add(near)
    // An error before the caller listens must not end the process; 'close' tells it all the same.
    near.on('error', () => {})
    near.once('close', () => this.#dialled.delete(near))
    listener.accept(far, options)
    return near
  }

  dialReveals(_address: string): readonly string[] {
    return ['Nothing: the network is inside one process.']
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopped'
    for (const id of [...this.#tunnels.keys()]) await this.stopTunnel(id)
    for (const stream of this.#dialled) resetStream(stream, new Error('the backend was disposed of'))
  }
}

/** @throws UnreachableError (`BEAM_ERR_ACCESS_DENIED`) unless the visitor proves an allowed key and knows the word. */
function admit(access: AccessPolicy | undefined, { identity, secret }: DialOptions): void {
  const denied = new UnreachableError('The publisher does not let this visitor in.', { code: 'BEAM_ERR_ACCESS_DENIED', retry: 'never' })
  if (access?.secret !== undefined && (secret === undefined || !timingSafeEqual(digest(access.secret), digest(secret)))) throw denied
  if (access?.allow === undefined || access.allow.length === 0) return
  if (identity === undefined || !access.allow.includes(encodeKey('visitor', identity.publicKey))) throw denied
  const challenge = randomBytes(32)
  if (!verifySignature(identity.publicKey, challenge, signWith(identity, challenge))) throw denied
}

function digest(word: string): Buffer {
  return createHash('sha256').update(word).digest()
}
