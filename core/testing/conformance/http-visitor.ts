import { randomBytes } from 'node:crypto'
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage, type ClientRequest, type RequestOptions } from 'node:http'
import type { Duplex } from 'node:stream'

/** Largest response that is read: the suite's own services send less. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** A request of the suite. */
export interface HttpRequest {
  readonly method?: string
  readonly path: string
  /** Sent in chunks, since its length is not told beforehand. */
  readonly body?: Iterable<Uint8Array>
}

/** A response that was read to its end. */
export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What came of an upgrade to another protocol. */
export interface Upgraded {
  readonly socket: Duplex
  readonly key: string
  readonly accept: string | undefined
}

/** Node's own HTTP client on streams of a tunnel, one kept connection at a time. */
export class HttpVisitor {
  readonly #agent: Agent

  constructor(dial: () => Promise<Duplex>) {
    this.#agent = new TunnelAgent(dial)
  }

  /** Sends a request and reads the whole response. */
  async request(options: HttpRequest): Promise<HttpResponse> {
    const response = await this.open(options)
    const parts: Buffer[] = []
    let length = 0
    for await (const part of response as AsyncIterable<Buffer>) {
      length += part.length
      if (length > MAX_BODY_BYTES) throw new Error(`the response is longer than ${MAX_BODY_BYTES} bytes`)
      parts.push(part)
    }
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }
  }

  /** Sends a request; resolves with the head of the response. */
  open({ body, ...options }: HttpRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#start(options)
      outgoing.once('response', resolve).once('error', reject)
      for (const chunk of body ?? []) outgoing.write(chunk)
      outgoing.end()
    })
  }

  /** Asks for a WebSocket (RFC 6455 section 4.1). */
  upgrade(path: string): Promise<Upgraded> {
    const key = randomBytes(16).toString('base64')
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key }
    return new Promise((resolve, reject) => {
      const outgoing = this.#start({ path, headers })
      outgoing.once('error', reject)
      outgoing.once('response', ({ statusCode }) => reject(new Error(`the upgrade was answered with ${statusCode}`)))
      outgoing.once('upgrade', ({ headers: answer }, socket, head) => {
        socket.on('error', () => {})
        if (head.length > 0) socket.unshift(head)
        resolve({ socket, key, accept: answer['sec-websocket-accept'] })
      })
      outgoing.end()
    })
  }

  /** Closes the kept connection. */
  close(): void {
    this.#agent.destroy()
  }

  #start(options: RequestOptions): ClientRequest {
    return request({ ...options, host: 'service.tunnel', agent: this.#agent })
  }
}

/** An agent whose connections are streams of a tunnel; what only sockets have is left out. */
class TunnelAgent extends Agent {
  readonly #dial: () => Promise<Duplex>

  constructor(dial: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: 1 })
    this.#dial = dial
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    // On failure Node looks at the error only.
    this.#dial().then(
      (stream) => callback?.(null, stream),
      (error: Error) => callback?.(error, undefined as never),
    )
    return undefined
  }

  override keepSocketAlive(): true {
    return true
  }

  override reuseSocket(): void {}
}
