import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { LocalService, resetStream, type TunnelInfo, type TunnelOptions } from 'beam-tunnel/core'
import { formatAddress } from './address.ts'

/** One published tunnel: a port of the network whose visitors are joined with the local service. */
export class Tunnel {
  readonly id: string
  readonly #port: number
  readonly #options: TunnelOptions
  readonly #service: LocalService
  readonly #server: Server
  readonly #visitors = new Set<Socket>()
  #bytesIn = 0
  #bytesOut = 0
  #totalStreams = 0

  constructor(id: string, port: number, options: TunnelOptions) {
    this.id = id
    this.#port = port
    this.#options = options
    this.#service = new LocalService({ host: options.host ?? 'localhost', port })
    const take = options.onStream ?? this.#service.handle
    // Without allowHalfOpen a visitor that has sent everything would hear no answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#count(socket)
      take(socket, { backend: 'tin-can' })
    })
  }

  /** Starts to take visitors, on this port of the network or on a free one. */
  async listen(networkPort: number | undefined): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(networkPort ?? 0, '127.0.0.1', resolve)
    })
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return formatAddress((this.#server.address() as AddressInfo).port)
  }

  get info(): TunnelInfo {
    const { name } = this.#options
    const endpoint = {
      backend: 'tin-can',
      address: this.address,
      state: 'active',
      reveals: ['That the service runs on this machine.'],
    } as const
    return { id: this.id, backend: 'tin-can', ...(name === undefined ? {} : { name }), port: this.#port, endpoints: [endpoint] }
  }

  get figures(): { bytesIn: number; bytesOut: number; openStreams: number; totalStreams: number } {
    const figures = { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, openStreams: this.#visitors.size, totalStreams: this.#totalStreams }
    for (const socket of this.#visitors) {
      figures.bytesIn += socket.bytesRead
      figures.bytesOut += socket.bytesWritten
    }
    return figures
  }

  /** Ends the tunnel with all its streams. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#visitors) resetStream(socket, new Error('the tunnel was stopped'))
    this.#service.close()
    await closed
  }

  #count(socket: Socket): void {
    this.#visitors.add(socket)
    this.#totalStreams += 1
    socket.once('close', () => {
      this.#visitors.delete(socket)
      this.#bytesIn += socket.bytesRead
      this.#bytesOut += socket.bytesWritten
    })
  }
}
