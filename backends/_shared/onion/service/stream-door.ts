import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { resetStream, type StreamHandler } from '../../../../core/index.ts'

/** Visitors at once; each holds a descriptor here and in the daemon. */
const MAX_VISITORS = 4_096

/** A port on this machine's own interface by which the daemon brings visitors to Beam, where Beam is needed in the path. */
export class StreamDoor {
  readonly #server: Server
  readonly #visitors = new Set<Socket>()

  constructor(backend: string, handler: StreamHandler) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#visitors.add(socket)
      socket.once('close', () => this.#visitors.delete(socket))
      // What ends it before it is joined shows as 'close'.
      socket.on('error', () => {})
      handler(socket, { backend })
    })
    this.#server.maxConnections = MAX_VISITORS
  }

  /** The port that it listens on. */
  async open(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    // A failed accept costs that visitor, not the service.
    this.#server.removeAllListeners('error').on('error', () => {})
    return (this.#server.address() as AddressInfo).port
  }

  /** No new visitors, and a reset for those that are there. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const visitor of this.#visitors) resetStream(visitor, new Error('the tunnel was stopped'))
    await closed
  }
}
