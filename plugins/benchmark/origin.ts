import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Payload } from './payload.ts'

/**
 * The local service at the end of every tunnel: HTTP on 127.0.0.1. `GET /bytes/N` answers with the first N bytes of the payload,
 * `GET /flow` with bytes until the visitor goes, `POST /flow/ID` counts what arrives.
 */
export class Origin implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #received = new Map<string, number>()

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async listen(payload: Payload): Promise<Origin> {
    // No limits of time: what is slow here is the network that is measured.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const origin = new Origin(server)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // A visitor that goes in the middle is the visitor's figure.
      origin.#serve(request, response, payload).catch(() => response.destroy())
    })
    return origin
  }

  /** How many bytes an upload with this id has brought so far. */
  received(id: string): number {
    return this.#received.get(id) ?? 0
  }

  async #serve(request: IncomingMessage, response: ServerResponse, payload: Payload): Promise<void> {
    const [, kind, word = ''] = (request.url ?? '').split('/')
    if (kind === 'bytes') {
      const body = payload.first(Number(word))
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body)
    } else if (kind === 'flow' && request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      await pipeline(Readable.from(payload.chunks(), { objectMode: false }), response)
    } else if (kind === 'flow') {
      for await (const chunk of request) this.#received.set(word, this.received(word) + (chunk as Buffer).length)
      response.end()
    } else {
      response.writeHead(404).end()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
