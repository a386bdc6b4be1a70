import { setMaxListeners } from 'node:events'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Session,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2'
import type { Duplex } from 'node:stream'
import { InternalError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { MAX_RECORD_BYTES } from '../records/record.ts'
import {
  ASK_PATH,
  HEAVY_STREAM_BYTES,
  HELLO_PATH,
  INNER_SESSION_WINDOW_BYTES,
  MAX_ASK_BYTES,
  MAX_LINK_PIPES,
  RECORD_PATH,
  SESSION_WINDOW_BYTES,
  STREAMS_PATH,
} from './constants.ts'
import { answersWithin, watchHeartbeat, type Heartbeat } from './heartbeat.ts'
import { Judgement, NOT_SERVED, type Judge } from './judgement.ts'
import { LinkStream, type StreamOwner } from './link-stream.ts'
import { PipeHalf, type PipeCarrier } from './pipe-half.ts'
import { refusalHeaders, refusalOf } from './refusal.ts'
import { AskedRequests, type Serve } from './serve.ts'
import { answer, exchange, linkClosed, streamReset } from './request.ts'
import { WindowKeeper } from './window-keeper.ts'

/** What a link is made of. */
export interface LinkParts {
  readonly session: ClientHttp2Session | ServerHttp2Session
  /** The encrypted connection under the session, for its count of bytes. */
  readonly connection: { readonly bytesRead: number; readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined }
  /** The key that the far end proved. */
  readonly peerKey: Buffer
  readonly logger: Logger
  /** Dialler: calls `go` when so many bytes can be written without piling up. */
  readonly askRoom?: (bytes: number, go: () => void) => void
  /** Dialler of a link straight over TCP, or through relays: opens the side channel of a heavy stream. */
  readonly openPipe?: (streamId: number, signal: AbortSignal) => Promise<PipeCarrier>
  /** Dialler: after so many bytes a stream is heavy. */
  readonly heavyBytes?: number
  /** Decides about a request of the far end. Default: refuses everything. */
  readonly judge?: Judge
  /** The signed record of what is published here, for whoever asks. */
  readonly record?: () => Uint8Array
  /** Answers the far end's small requests. Default: none is answered. */
  readonly serve?: Serve
  /** Takes a granted stream of the far end. */
  readonly onStream?: (stream: LinkStream, link: Link) => void
}

/**
 * An authenticated session between two Beam processes: HTTP/2 over mutual TLS 1.3, pinned by key. Everything between processes is a
 * request on it. The dialler opens streams; the acceptor can too when the dialler turned the link round (`offerReverse`).
 */
export class Link implements StreamOwner {
  readonly peerKey: Buffer
  readonly #parts: LinkParts
  readonly #session: ClientHttp2Session | ServerHttp2Session
  readonly #dialler: boolean
  readonly #streams = new Map<number, LinkStream>()
  readonly #closeListeners: Array<(reason: string) => void> = []
  readonly #windows: WindowKeeper
  readonly #heartbeat: Heartbeat
  /** Side channels, also those that are still being opened. */
  #pipes = 0
  readonly #asked: AskedRequests | undefined
  readonly #ended = new AbortController()
  readonly #judgement: Judgement
  #reason: string | undefined
  #closed = false

  constructor(parts: LinkParts, role: 'dialler' | 'acceptor') {
    this.#parts = parts
    this.#session = parts.session
    this.#dialler = role === 'dialler'
    this.peerKey = parts.peerKey
    this.#judgement = new Judgement(parts.judge, parts.logger)
    this.#asked =
      parts.serve === undefined
        ? undefined
        : new AskedRequests(parts.serve, () => ({ peerKey: parts.peerKey, remoteAddress: this.remoteAddress }))
    const session: Http2Session = parts.session
    setMaxListeners(0, this.#ended.signal)
    const inner = parts.connection.remoteAddress === undefined
    const sessionWindow = inner ? INNER_SESSION_WINDOW_BYTES : SESSION_WINDOW_BYTES
    session.setLocalWindowSize(sessionWindow)
    // Half of it for all streams together: those that stand still never use up what a moving one needs.
    this.#windows = new WindowKeeper(session, sessionWindow / 2)
    session.on('error', (error: Error) => (this.#reason ??= error.message))
    session.on('goaway', () => {
      this.#reason ??= 'the far end ended the session'
      // No new streams will be granted: what runs may finish, and a new link takes the rest.
      this.#close(false)
    })
    session.on('close', () => this.#onClose())
    if (!this.#dialler) {
      ;(session as ServerHttp2Session).on('stream', (stream, headers) => {
        this.#onRequest(stream, headers).catch((error: unknown) => {
          parts.logger.error('a request failed', { error: String(error) })
          stream.destroy()
        })
      })
    }
    this.#heartbeat = watchHeartbeat(session, parts.connection, () => {
      this.#reason = 'the far end fell silent'
      session.destroy()
    })
  }

  /** Whether new streams can be opened. */
  get usable(): boolean {
    return !this.#closed && !this.#session.closed && !this.#session.destroyed
  }

  /** Number of open streams. */
  get openStreams(): number {
    return this.#streams.size
  }

  /** The other end's network address, when the link runs over a socket. Sensitive. */
  get remoteAddress(): string | undefined {
    const { remoteAddress, remotePort } = this.#parts.connection
    return remoteAddress === undefined ? undefined : `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`
  }

  /**
   * Opens a stream; bytes can be written at once, before the far end has granted it (a refusal arrives as the stream's error).
   * @throws UnreachableError (`BEAM_ERR_LINK_CLOSED`) when the link is gone.
   */
  openStream(authority: string, headers: OutgoingHttpHeaders = {}): LinkStream {
    const h2 = this.#request({ ':method': 'CONNECT', ':authority': authority, ...headers }, false)
    this.#heartbeat.ask()
    return this.#track(h2, authority)
  }

  /**
   * Asks whether one is let in, and measures the round trip.
   * @throws UnreachableError with the far end's reason, TimeoutError
   */
  async hello(headers: OutgoingHttpHeaders = {}, signal?: AbortSignal): Promise<{ readonly latencyMs: number }> {
    const start = performance.now()
    const request = this.#request({ ':method': 'GET', ':path': HELLO_PATH, ...headers }, true)
    const { headers: answered } = await exchange(request, 0, signal)
    const refusal = refusalOf(answered)
    if (refusal !== undefined) throw refusal
    return { latencyMs: performance.now() - start }
  }

  /** Whether the far end shows a sign of life within so many milliseconds. */
  answers(ms: number): Promise<boolean> {
    return answersWithin(this.#session, this.#parts.connection, ms)
  }

  /**
   * A small request of the mesh and its answer, at most 64 KiB each.
   * @throws UnreachableError with the far end's reason, TimeoutError, ProtocolError when the answer is longer
   */
  async ask(topic: string, body: Uint8Array, signal?: AbortSignal): Promise<Buffer> {
    if (body.length > MAX_ASK_BYTES) throw new InternalError(`A request of ${body.length} bytes is too large.`)
    const request = this.#request({ ':method': 'POST', ':path': ASK_PATH + topic }, false)
    request.on('wantTrailers', () => request.sendTrailers({}))
    request.end(body)
    const { headers, body: answered } = await exchange(request, MAX_ASK_BYTES, signal)
    const refusal = refusalOf(headers)
    if (refusal !== undefined) throw refusal
    return answered
  }

  /**
   * The signed record that the far end shows for what it publishes; still to be verified.
   * @throws UnreachableError, TimeoutError, ProtocolError when it is longer than records are.
   */
  async fetchRecord(signal?: AbortSignal): Promise<Uint8Array> {
    const request = this.#request({ ':method': 'GET', ':path': RECORD_PATH }, true)
    const { headers, body } = await exchange(request, MAX_RECORD_BYTES, signal)
    const refusal = refusalOf(headers)
    if (refusal !== undefined) throw refusal
    return body
  }

  /** Called once with the reason when the link can take no more streams; at once when that is so already. */
  onClose(listener: (reason: string) => void): void {
    if (this.#closed) listener(this.#reason ?? 'closed')
    else this.#closeListeners.push(listener)
  }

  /** The acceptor's side of a side channel. */
  acceptPipe(streamId: number, connection: Duplex): void {
    const stream = this.#streams.get(streamId)
    if (stream === undefined || this.#pipes >= MAX_LINK_PIPES) {
      connection.destroy()
      return
    }
    this.#pipes++
    this.#attach(stream, { connection })
  }

  /** Ends the link: running streams are broken off unless `graceful`. */
  close(options: { readonly graceful?: boolean; readonly reason?: string } = {}): void {
    this.#reason ??= options.reason ?? 'closed'
    this.#close(options.graceful !== true)
  }

  get heavyBytes(): number {
    return this.#parts.heavyBytes ?? HEAVY_STREAM_BYTES
  }

  askRoom(bytes: number, go: () => void): void {
    const { askRoom } = this.#parts
    if (askRoom === undefined) go()
    else askRoom(bytes, go)
  }

  wantPipe(stream: LinkStream): void {
    const { openPipe } = this.#parts
    if (openPipe === undefined || this.#pipes >= MAX_LINK_PIPES) return
    this.#pipes++
    openPipe(stream.id, this.#ended.signal).then(
      (carrier) => this.#attach(stream, carrier),
      (error: unknown) => {
        this.#pipes--
        // The stream goes on inside the link: slower, but whole.
        this.#parts.logger.debug('no side channel', { error: String(error) })
      },
    )
  }

  sendAbort(streamId: number): void {
    if (!this.usable) return
    const request = this.#request({ ':method': 'DELETE', ':path': `${STREAMS_PATH}${streamId}` }, true)
    request.on('error', () => {})
    request.resume()
  }

  #request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    if (!this.usable || !this.#dialler) throw linkClosed(this.#reason)
    try {
      return (this.#session as ClientHttp2Session).request(headers, { endStream, waitForTrailers: !endStream })
    } catch (error) {
      // A session that got GOAWAY throws here, synchronously.
      this.#close(false)
      throw linkClosed(this.#reason, error)
    }
  }

  async #onRequest(h2: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    h2.on('error', () => {})
    const path = headers[':path'] ?? ''
    if (headers[':method'] === 'DELETE' && path.startsWith(STREAMS_PATH)) {
      this.#streams.get(Number(path.slice(STREAMS_PATH.length)))?.destroy(streamReset('The far end broke the stream off.'))
      answer(h2, { ':status': 204 })
      return
    }
    if (path === RECORD_PATH && this.#parts.record !== undefined) {
      answer(h2, { ':status': 200 }, this.#parts.record())
      return
    }
    if (headers[':method'] === 'POST' && path.startsWith(ASK_PATH) && this.#asked !== undefined) {
      await this.#asked.take(h2, headers)
      return
    }
    const isConnect = headers[':method'] === 'CONNECT'
    if (!isConnect && path !== HELLO_PATH) {
      answer(h2, refusalHeaders(NOT_SERVED))
      return
    }
    // A stream is made before the judgement, so that what arrives meanwhile is kept and not lost.
    const stream = isConnect ? this.#track(h2, headers[':authority'] ?? '') : undefined
    const refusal = await this.#judgement.of(headers)
    if (h2.destroyed) return
    if (refusal !== undefined) {
      if (stream === undefined) answer(h2, refusalHeaders(refusal))
      else stream.refuse(refusal)
    } else if (stream === undefined) {
      answer(h2, { ':status': 204 })
    } else if (this.#parts.onStream !== undefined) {
      this.#parts.onStream(stream, this)
    }
  }

  #track(h2: ClientHttp2Stream | ServerHttp2Stream, authority: string): LinkStream {
    const stream = new LinkStream(h2, authority, this, this.#dialler)
    const register = (id: number): void => {
      this.#streams.set(id, stream)
      this.#windows.fit(this.#streams.size)
      stream.once('close', () => {
        this.#streams.delete(id)
        this.#windows.fit(this.#streams.size)
      })
    }
    if (h2.id === undefined) h2.once('ready', () => register(h2.id ?? 0))
    else register(h2.id)
    return stream
  }

  #attach(stream: LinkStream, carrier: PipeCarrier): void {
    carrier.connection.once('close', () => this.#pipes--)
    stream.attachPipe(new PipeHalf(carrier))
  }

  #close(now: boolean): void {
    if (now) {
      for (const stream of this.#streams.values()) stream.destroy(linkClosed(this.#reason))
      this.#session.destroy()
    } else if (!this.#session.closed) {
      this.#session.close()
    }
    this.#announceClose()
  }

  #onClose(): void {
    this.#heartbeat.stop()
    this.#ended.abort(linkClosed(this.#reason))
    this.#announceClose()
    // What still waits for a side channel that will never come.
    for (const stream of this.#streams.values()) if (!stream.hasPipe) stream.destroy(linkClosed(this.#reason))
  }

  #announceClose(): void {
    if (this.#closed) return
    this.#closed = true
    for (const listener of this.#closeListeners.splice(0)) listener(this.#reason ?? 'the connection ended')
  }
}
