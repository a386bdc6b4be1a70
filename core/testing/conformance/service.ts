import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A local service of the test, on 127.0.0.1. */
export class TestService {
  readonly port: number
  readonly #server: Server
  readonly #sockets: Set<Socket>
  #connections = 0

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.port = (server.address() as AddressInfo).port
    server.on('connection', () => (this.#connections += 1))
  }

  /** Listens with a server of any kind (TCP, HTTP), on a free port or this one. */
  static async listen(server: Server, port = 0): Promise<TestService> {
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => resolve(server.off('error', reject) && undefined))
    })
    return new TestService(server, sockets)
  }

  /** A TCP service whose sockets may end one direction before the other, as a tunnel has to allow. */
  static tcp(onConnection: (socket: Socket) => void, port = 0): Promise<TestService> {
    return TestService.listen(createServer({ allowHalfOpen: true, noDelay: true }, onConnection), port)
  }

  /** How many connections came so far. */
  get connections(): number {
    return this.#connections
  }

  /** Closes the listener and every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function unusedPort(): Promise<number> {
  const service = await TestService.tcp(() => {})
  await service.close()
  return service.port
}

/** Sends back whatever comes. */
export function echo(socket: Socket): void {
  socket.pipe(socket)
}
