import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { NetworkBackend, TunnelInfo, TunnelOptions } from '../../backend.ts'
import { isDialler, type Dialler, type DialOptions } from '../../powers.ts'
import type { BackendCapabilities } from '../../capabilities.ts'
import { CleanupStack } from '../../cleanup.ts'
import { resetStream } from '../../streams/index.ts'
import { within } from '../../tunnels/within.ts'
import { disposeQuietly, type Actors } from './actors.ts'
import { outcome } from './outcome.ts'
import { DEFAULT_SIZES, type ConformanceFixture, type Sizes } from './fixture.ts'
import { TestService } from './service.ts'
import { Skipped } from './skipped.ts'

/** A tunnel to a local service of the test. */
export interface TestTunnel {
  readonly info: TunnelInfo
  readonly address: string
  readonly service: TestService
}

/** How many connections of how many succeeded. */
export interface Reliability {
  readonly attempted: number
  readonly succeeded: number
}

/** What one case works with: the backends, local services and streams, all of which are cleared away when the case ends. */
export class Stage implements AsyncDisposable {
  readonly fixture: ConformanceFixture
  readonly sizes: Sizes
  /** Fires when the time of the case is up. */
  readonly signal: AbortSignal
  /** Ports of the test's own services. */
  readonly servicePorts = new Set<number>()
  reliability: Reliability | undefined
  readonly #actors: Actors
  readonly #cleanup = new CleanupStack()

  constructor(fixture: ConformanceFixture, actors: Actors, signal: AbortSignal) {
    this.fixture = fixture
    this.sizes = { ...DEFAULT_SIZES, ...fixture.sizes }
    this.signal = signal
    this.#actors = actors
  }

  /** Ends the case: it cannot be asked of this backend. */
  skip(reason: string): never {
    throw new Skipped(reason)
  }

  /** Milliseconds as long as the network needs them to be. */
  ms(loopbackMs: number): number {
    return loopbackMs * (this.fixture.timeScale ?? 1)
  }

  /** Waits, but not for ever. */
  within<T>(work: Promise<T>, loopbackMs: number, what: string): Promise<T> {
    return within(work, { ms: this.ms(loopbackMs), what, signal: this.signal })
  }

  /** A backend of its own, not initialized. */
  async fresh(make: () => NetworkBackend | Promise<NetworkBackend> = () => this.fixture.create()): Promise<NetworkBackend> {
    const backend = await make()
    this.#cleanup.defer(() => disposeQuietly(backend, this.fixture))
    return backend
  }

  publisher(): Promise<NetworkBackend> {
    return this.#actors.publisher(this.signal)
  }

  /** The backend that dials. Skips the case when it cannot. */
  async visitor(): Promise<NetworkBackend & Dialler> {
    const visitor = await this.#actors.visitor(this.signal)
    return isDialler(visitor) ? visitor : this.skip('the backend opens no byte streams to addresses')
  }

  async capabilities(): Promise<BackendCapabilities> {
    return (await this.publisher()).getCapabilities()
  }

  /** A local TCP service. */
  async service(onConnection: (socket: Socket) => unknown, port = 0): Promise<TestService> {
    // What a damaged stream makes a service throw is for the visitor's end to notice, not for the process.
    const guarded = (socket: Socket): void => void outcome(async () => onConnection(socket)).then(({ ok }) => ok || socket.destroy())
    return this.#keep(await TestService.tcp(guarded, port))
  }

  /** A local service with a server of one's own (HTTP). */
  async serve(server: Server): Promise<TestService> {
    return this.#keep(await TestService.listen(server))
  }

  #keep(service: TestService): TestService {
    this.servicePorts.add(service.port)
    this.#cleanup.defer(() => service.close())
    return service
  }

  /** Publishes a port for the time of the case. */
  async publish(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const publisher = await this.publisher()
    const info = await publisher.startTunnel(port, { signal: this.signal, ...options })
    this.#cleanup.defer(() => within(publisher.stopTunnel(info.id), { ms: this.ms(2_000), what: 'stopTunnel' }).catch(() => {}))
    return info
  }

  /** A tunnel to a service. Skips the case when nobody could dial it. */
  async tunnel(service: TestService | ((socket: Socket) => unknown), options: TunnelOptions = {}): Promise<TestTunnel> {
    await this.visitor()
    const target = typeof service === 'function' ? await this.service(service) : service
    const info = await this.publish(target.port, options)
    const address = info.endpoints[0]?.address
    if (address === undefined) throw new Error('the tunnel has no endpoint')
    return { info, address, service: target }
  }

  /** A stream for the time of the case. */
  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    const stream = await (await this.visitor()).dial(address, { signal: this.signal, ...options })
    stream.on('error', () => {})
    this.#cleanup.defer(() => resetStream(stream, new Error('the case is over')))
    return stream
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]()
  }
}
