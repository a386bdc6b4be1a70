import type { AddressInfo, Server, Socket } from 'node:net'
import {
  BackendUnavailableError,
  resetStream,
  type Endpoint,
  type EndpointState,
  type Logger,
  type StreamHandler,
  type TunnelEvent,
  type Visitor,
} from '../../core/index.ts'
import { MAX_VISITORS } from './constants.ts'
import { formatPlace, sourceFilter, type Prefix } from './mesh-address.ts'
import type { Mesh, MeshHealth } from './mesh.ts'
import { PUBLISH_REVEALS } from './sentences.ts'
import type { TrafficCount } from './traffic.ts'

/** What a published service is made of. */
export interface PublishedParts {
  readonly mesh: Mesh
  readonly sources: readonly Prefix[] | undefined
  readonly handler: StreamHandler
  readonly traffic: TrafficCount
  readonly logger: Logger
  readonly onEvent: (event: TunnelEvent) => void
}

/** One service in the mesh: a listener at the node's address there and nowhere else. */
export class Published implements AsyncDisposable {
  readonly #parts: PublishedParts
  readonly #admits: (address: string | undefined) => boolean
  readonly #visitors = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #state: EndpointState = 'announcing'
  #closed = false

  constructor(parts: PublishedParts) {
    this.#parts = parts
    this.#admits = parts.sources === undefined ? () => true : sourceFilter(parts.sources)
  }

  get address(): string {
    return formatPlace({ host: this.#parts.mesh.address, port: this.#port })
  }

  get port(): number {
    return this.#port
  }

  endpoint(): Endpoint {
    return { backend: 'anonet', address: this.address, state: this.#state, reveals: PUBLISH_REVEALS }
  }

  /** Listens on the first of the ports that is free; 0 = any. @throws BackendUnavailableError (`BEAM_ERR_PORT_IN_USE`) */
  async listen(ports: readonly number[]): Promise<void> {
    for (const [index, port] of ports.entries()) {
      try {
        const server = await this.#parts.mesh.listen(port)
        this.#port = (server.address() as AddressInfo).port
        this.#serve(server)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
        if (index === ports.length - 1) throw portTaken(this.#parts.mesh.address, port, error)
      }
    }
  }

  /** After the namespace was made anew. */
  async listenAgain(): Promise<void> {
    const gone = this.#server
    this.#server = undefined
    gone?.close()
    for (const visitor of this.#visitors) resetStream(visitor, new Error('the mesh was lost'))
    if (!this.#closed) await this.listen([this.#port])
  }

  /** Tells what became of the mesh. */
  heard({ reachable, reason }: MeshHealth): void {
    const state = reachable ? 'active' : this.#state === 'announcing' ? 'announcing' : 'down'
    if (state === this.#state || this.#closed) return
    this.#state = state
    this.#parts.onEvent({ type: 'state', address: this.address, state, reason })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const server = this.#server
    const closed = new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())))
    for (const visitor of this.#visitors) resetStream(visitor, new Error('the tunnel was stopped'))
    await closed
  }

  #serve(server: Server): void {
    this.#server = server
    server.on('error', (error) => this.#parts.logger.warn('the listener in the mesh failed', { reason: error.message }))
    server.on('connection', (socket: Socket) => {
      // A listener that was passed here makes sockets with Node's defaults.
      socket.allowHalfOpen = true
      socket.setNoDelay(true)
      const { remoteAddress } = socket
      if (this.#closed || this.#visitors.size >= MAX_VISITORS || !this.#admits(remoteAddress)) {
        return resetStream(socket, new Error('not admitted'))
      }
      this.#visitors.add(socket)
      socket.once('close', () => this.#visitors.delete(socket))
      this.#parts.traffic.count(socket)
      const visitor: Visitor = { backend: 'anonet', ...(remoteAddress !== undefined && { remoteAddress }) }
      this.#parts.handler(socket, visitor)
    })
  }
}

function portTaken(address: string, port: number, cause: unknown): BackendUnavailableError {
  return new BackendUnavailableError(`Port ${port} at ${address} is taken.`, {
    code: 'BEAM_ERR_PORT_IN_USE',
    hint: 'A service that listens on all addresses takes it too, and is open to the mesh as it is: let it listen on 127.0.0.1, or choose another port with --anonet-port.',
    cause,
  })
}
