import { Agent, createServer, request as httpRequest, type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { StreamHandler, Visitor } from '../backend.ts'
import { BackendUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { resetStream } from '../streams/index.ts'
import { changedHeaders, checkHttpOptions, hasBody, localHost, pairs, valuesOf, type HttpOptions, type RawHeaders } from './http-headers.ts'
import { carryUpgrade } from './http-upgrade.ts'

/** Largest head of a message in both directions, in bytes: twice what Node takes by itself, for applications with large cookies. */
const MAX_HEAD_BYTES = 32 * 1024
/** Requests of one connection that wait for answers (pipelining): browsers send one, clients that pipeline a dozen. */
const MAX_PIPELINED = 64
/** How long an idle connection of a visitor is kept where the network does not end it itself, in milliseconds: longer than services do. */
const KEEP_ALIVE_MS = 75_000
/** Visitors at once: as many as without HTTP features. */
const MAX_VISITORS = 4_096

/** What a front is made of. */
export interface HttpFrontSetup {
  readonly target: { readonly host: string; readonly port: number }
  /** A connection to the service. */
  readonly connect: () => Promise<Socket>
  readonly options: HttpOptions
  readonly logger: Logger
}

/** A connection of a visitor, and that to the service for it. */
interface Visit {
  readonly stream: Duplex
  readonly visitor: Visitor
  readonly agent: Agent
  pending: number
}

/**
 * Stands between visitors and a service that speaks HTTP/1.1, and changes headers on the way. Bodies stream both ways under back-pressure; a
 * connection of a visitor is one of the service, kept alive like it; protocols that are switched to (WebSocket) run through untouched.
 */
export class HttpFront {
  readonly #setup: HttpFrontSetup
  readonly #server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Uploads take as long as they take.
    requestTimeout: 0,
    // What is missing is for the service to say.
    requireHostHeader: false,
  })
  readonly #visits = new Map<Duplex, Visit>()
  readonly #host: string | undefined
  readonly #drop: ReadonlySet<string>
  readonly #responseHeaders: Readonly<Record<string, string>>

  /** @throws ConfigError when the options are wrong */
  constructor(setup: HttpFrontSetup) {
    const { options, target } = setup
    checkHttpOptions(options)
    this.#setup = setup
    this.#host = options.hostHeader === 'rewrite' ? localHost(target) : options.hostHeader
    this.#drop = new Set((options.dropRequestHeaders ?? []).map((name) => name.toLowerCase()))
    this.#responseHeaders = options.responseHeaders ?? {}
    // A visitor may end its direction after the request (`curl` does not, small clients do): Node knows this only as a property.
    Object.assign(this.#server, { httpAllowHalfOpen: true })
    this.#server.on('request', (request, response) => this.#onRequest(request, response))
    this.#server.on('upgrade', (request, stream, head) => this.#onUpgrade(request, stream, head))
  }

  /** Takes a visitor's stream. */
  readonly handle: StreamHandler = (stream, visitor) => {
    stream.on('error', () => {})
    if (this.#visits.size >= MAX_VISITORS) {
      resetStream(stream, new BackendUnavailableError(`More than ${MAX_VISITORS} visitors at once.`))
      return
    }
    const agent = serviceAgent(this.#setup.connect, () => stream.destroyed)
    this.#visits.set(stream, { stream, visitor, agent, pending: 0 })
    stream.once('close', () => {
      this.#visits.delete(stream)
      agent.destroy()
    })
    this.#server.emit('connection', stream)
  }

  /** Ends all connections. */
  close(): void {
    for (const { stream } of this.#visits.values()) resetStream(stream, new Error('the tunnel was stopped'))
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const visit = this.#visits.get(request.socket)
    if (visit === undefined) return void request.socket.destroy()
    if (++visit.pending > MAX_PIPELINED) {
      resetStream(visit.stream, new Error(`more than ${MAX_PIPELINED} requests wait for an answer`))
      return
    }
    response.once('close', () => (visit.pending -= 1))
    this.#exchange(visit, request, response)
  }

  #exchange(visit: Visit, request: IncomingMessage, response: ServerResponse): void {
    const { rawHeaders } = request
    const body = hasBody(rawHeaders)
    const outgoing = this.#ask(visit, request, [...this.#towardsService(visit, rawHeaders), ...framing(request)])
    if (outgoing === undefined) return refuse(response, 400, 'The address of the request is not understood.')
    outgoing.on('response', (answer) => this.#answer(visit, request, answer, response))
    outgoing.on('error', (error) => {
      // The service closed a kept connection just then: nothing of the request was dealt with, so it is asked again.
      const again = outgoing.reusedSocket && !body && !response.headersSent && (request.method === 'GET' || request.method === 'HEAD')
      if (again && !visit.stream.destroyed) return this.#exchange(visit, request, response)
      this.#setup.logger.debug('a request failed', { backend: visit.visitor.backend, reason: error.message })
      if (response.headersSent) resetStream(visit.stream, error)
      else refuse(response, 502, 'The service behind this address does not answer.')
    })
    // A visitor that leaves is gone for the service too.
    response.once('close', () => response.writableFinished || outgoing.destroy())
    if (body) request.pipe(outgoing)
    else outgoing.end()
  }

  #answer({ stream }: Visit, request: IncomingMessage, answer: IncomingMessage, response: ServerResponse): void {
    answer.on('error', (error) => resetStream(stream, error))
    if (response.destroyed) return void answer.resume()
    response.sendDate = false
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, this.#towardsVisitor(request, answer.rawHeaders))
    // An answer that begins now and goes on later (server-sent events) is seen now.
    response.flushHeaders()
    answer.once('end', () => {
      if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers))
    })
    answer.pipe(response)
  }

  #onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const visit = this.#visits.get(stream)
    if (visit === undefined) return void stream.destroy()
    // A body before the switch is allowed and never seen; it is refused rather than lost.
    const headers = hasBody(request.rawHeaders) ? undefined : this.#towardsService(visit, request.rawHeaders, true)
    carryUpgrade({
      request,
      stream,
      head,
      outgoing: headers && this.#ask(visit, request, headers),
      onAnswer: (answer, response) => this.#answer(visit, request, answer, response),
      headers: (raw) => this.#towardsVisitor(request, raw, true),
    })
  }

  /** Undefined when the request is none that can be passed on. */
  #ask({ agent }: Visit, { method, url = '/' }: IncomingMessage, headers: string[]): ReturnType<typeof httpRequest> | undefined {
    const { host, port } = this.#setup.target
    // A target with a host in it (RFC 9112 section 3.2.2) would tell the service another one than the Host header.
    const path = url.replace(/^https?:\/\/[^/?#]*/i, '') || '/'
    try {
      return httpRequest({ agent, host, port, method: method ?? 'GET', path, headers, maxHeaderSize: MAX_HEAD_BYTES })
    } catch {
      return undefined
    }
  }

  #towardsService({ visitor }: Visit, headers: RawHeaders, upgrade = false): string[] {
    const from = valuesOf(headers, 'host')[0]
    const host = this.#host === undefined ? {} : { host: { from, to: this.#host } }
    const changed = changedHeaders(headers, { drop: this.#drop, add: visitor.httpHeaders ?? {}, upgrade, ...host })
    return this.#host !== undefined && from === undefined ? ['Host', this.#host, ...changed] : changed
  }

  #towardsVisitor({ rawHeaders }: IncomingMessage, headers: RawHeaders, upgrade = false): string[] {
    const to = valuesOf(rawHeaders, 'host')[0]
    const host = this.#host === undefined || to === undefined ? {} : { host: { from: this.#host, to } }
    return changedHeaders(headers, { drop: new Set(), add: this.#responseHeaders, upgrade, ...host })
  }
}

/** How the body of a request is framed towards the service; its length stands in the headers that are passed on. */
function framing({ rawHeaders, method = '' }: IncomingMessage): string[] {
  if (valuesOf(rawHeaders, 'transfer-encoding').length > 0) return ['Transfer-Encoding', 'chunked']
  const counted = valuesOf(rawHeaders, 'content-length').length > 0
  return counted || method === 'GET' || method === 'HEAD' ? [] : ['Content-Length', '0']
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`)
}

/** One kept connection to the service, for a visitor that may leave while it is made. */
function serviceAgent(connect: () => Promise<Socket>, isGone: () => boolean): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const createConnection = (_options: RequestOptions, done: (error: Error | null, socket?: Socket) => void): undefined => {
    connect().then(
      (socket) => {
        if (!isGone()) return done(null, socket)
        socket.destroy()
        done(new Error('the visitor left'))
      },
      (error: unknown) => done(error as Error),
    )
  }
  return Object.assign(agent, { createConnection })
}
