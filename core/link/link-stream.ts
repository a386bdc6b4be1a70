import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { ProtocolError } from '../errors.ts'
import { copiesOnWrite, readInto, type DirectSource, type Sink } from '../streams/sink.ts'
import { ABORT_TIMEOUT_MS, PIPE_TRAILER, REQUEST_TIMEOUT_MS, RESET_TRAILER } from './constants.ts'
import { refusalHeaders, refusalOf, type Refusal } from './refusal.ts'
import type { PipeHalf } from './pipe-half.ts'
import { answer, streamReset } from './request.ts'

const { NGHTTP2_CANCEL, NGHTTP2_CONNECT_ERROR, NGHTTP2_NO_ERROR } = constants

/** What a stream needs of its link. */
export interface StreamOwner {
  /** After so many bytes in both directions a side channel is worth its handshake. */
  readonly heavyBytes: number
  /** Asks for a side channel; only a dialler whose link runs straight over TCP, or through relays, can have one. */
  wantPipe(stream: LinkStream): void
  /** Calls `go`, now or later, when so many bytes may be written. */
  askRoom(bytes: number, go: () => void): void
  /** Tells the far end by a request of its own that a stream is broken off. */
  sendAbort(streamId: number): void
}

/**
 * One byte stream of a link: an HTTP/2 stream (RFC 9113 section 8.5), continued in a TLS connection of its own when it is heavy.
 * A proper end and a break are told apart: a break of the far end is an error here (`BEAM_ERR_STREAM_RESET`), never an end.
 */
export class LinkStream extends Duplex implements DirectSource {
  /** What the opener asked for. */
  readonly authority: string
  readonly #h2: ClientHttp2Stream | ServerHttp2Stream
  readonly #owner: StreamOwner
  readonly #dialler: boolean
  #responded: boolean
  /** Dialler: whether the far end has granted or refused the stream. */
  #answered: boolean
  #trailers: Record<string, string> = {}
  #refused = false
  #received = 0
  #sent = 0
  #pipe: PipeHalf | undefined
  #pipeWanted = false
  /** Bytes that the far end says it sent through the side channel; known with its trailer. */
  #pipeTotal: number | undefined
  #ended = false
  #awaitsPipe = false
  /** Where received bytes go when the stream is joined; else they go through its own readable side. */
  #sink: Sink | undefined

  constructor(h2: ClientHttp2Stream | ServerHttp2Stream, authority: string, owner: StreamOwner, dialler: boolean) {
    super({ allowHalfOpen: true, highWaterMark: 256 * 1024, emitClose: true })
    this.#h2 = h2
    this.authority = authority
    this.#owner = owner
    this.#dialler = dialler
    this.#responded = dialler
    this.#answered = !dialler
    h2.on('data', (chunk: Buffer) => this.#onData(chunk))
    // Reading is touched before anything can be ended: otherwise Node loses what comes after our own end.
    h2.pause()
    h2.on('end', () => this.#onEnd())
    h2.on('trailers', (headers: IncomingHttpHeaders) => this.#onTrailers(headers))
    h2.on('wantTrailers', () => {
      if (!h2.destroyed && !h2.closed) h2.sendTrailers(this.#trailers)
    })
    h2.on('close', () => this.#onClose())
    // Always followed by 'close', which decides.
    h2.on('error', () => {})
    // What happens before somebody listens, or when nobody does, must not end the process.
    this.on('error', () => {})
    if (dialler) h2.on('response', (headers) => this.#onResponse(headers))
  }

  /** The HTTP/2 stream number, alike at both ends (0 while the far end allows no more streams). */
  get id(): number {
    return this.#h2.id ?? 0
  }

  /** Whether a chunk is done with when `write` returns (see `copiesOnWrite`). */
  get [copiesOnWrite](): boolean {
    return this.#pipe?.sending === true
  }

  [readInto](sink: Sink): void {
    // What came before somebody joined the stream goes first.
    for (let early = this.#takeRead(); early !== null; early = this.#takeRead()) sink.write(early)
    this.#sink = sink
    if (this.#pipe !== undefined) this.#pipe.sink = sink
  }

  override resume(): this {
    super.resume()
    // What goes straight to its destination is paused at its source, of which the readable side knows nothing.
    if (this.#sink !== undefined) this._read()
    return this
  }

  /** Bytes received and sent so far. */
  get bytes(): { readonly received: number; readonly sent: number } {
    return { received: this.#received + (this.#pipe?.received ?? 0), sent: this.#sent + (this.#pipe?.sent ?? 0) }
  }

  /** Whether a side channel is attached. */
  get hasPipe(): boolean {
    return this.#pipe !== undefined
  }

  /** Acceptor: lets the stream in before its first byte is sent. */
  accept(): void {
    if (this.#responded || this.#h2.destroyed || this.#h2.closed) return
    this.#responded = true
    ;(this.#h2 as ServerHttp2Stream).respond({ ':status': 200 }, { waitForTrailers: true })
  }

  /** Acceptor: turns the stream away with the reason. */
  refuse(refusal: Refusal): void {
    this.#refused = true
    answer(this.#h2 as ServerHttp2Stream, refusalHeaders(refusal))
    this.destroy()
  }

  /** Gives the stream its side channel: each direction moves over when its sender has something to send. */
  attachPipe(pipe: PipeHalf): void {
    if (this.destroyed || this.#pipe !== undefined) {
      pipe.destroy()
      return
    }
    this.#pipe = pipe
    pipe.onChunk = (chunk) => this.push(chunk)
    pipe.sink = this.#sink
    pipe.onProgress = () => this.#settle()
    pipe.onLost = (error) => this.destroy(streamReset('The connection that carried the stream was lost.', error))
    this.#startPipe()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#pipe?.sending === true && !this.#pipe.ready) {
      // What was sent there may be lost: nothing may follow it in the link.
      callback(streamReset('The connection that carried the stream was lost.'))
      return
    }
    if (this.#pipe?.ready === true) {
      this.#pipe.send(chunk, this.#sent, callback)
      return
    }
    this.accept()
    this.#sent += chunk.length
    this.#owner.askRoom(chunk.length, () => this.#h2.write(chunk, callback))
    this.#weigh()
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.accept()
    if (this.#pipe?.sending === true) this.#trailers = { [PIPE_TRAILER]: String(this.#pipe.sent) }
    this.#h2.end()
    callback()
  }

  override _read(): void {
    this.#h2.resume()
    this.#pipe?.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const clean = error === null && this.readableEnded && this.writableFinished
    if (clean) this.#pipe?.finish()
    else if (!this.#refused) this.#breakOff()
    callback(error)
  }

  #takeRead(): Buffer | null {
    return this.readableLength > 0 ? (this.read() as Buffer | null) : null
  }

  #onData(chunk: Buffer): void {
    if (this.destroyed) return
    if (this.#pipe?.isOvertakenBy(this.#received + chunk.length) === true) {
      this.destroy(new ProtocolError('The far end went back from the side channel to the link.'))
      return
    }
    this.#received += chunk.length
    if (!(this.#sink === undefined ? this.push(chunk) : this.#sink.write(chunk))) this.#h2.pause()
    this.#startPipe()
    this.#weigh()
  }

  #onResponse(headers: IncomingHttpHeaders & { ':status'?: number | undefined }): void {
    this.#answered = true
    const refusal = refusalOf(headers)
    if (refusal !== undefined) this.destroy(refusal)
  }

  #onTrailers(headers: IncomingHttpHeaders): void {
    // At once, also when nobody reads: what came before counts no more than before a reset of TCP.
    if (headers[RESET_TRAILER] !== undefined) this.destroy(streamReset('The far end reset the stream.'))
    const total = headers[PIPE_TRAILER]
    if (total === undefined) return
    if (typeof total !== 'string' || !/^\d{1,15}$/.test(total)) this.destroy(new ProtocolError('The far end sent a malformed trailer.'))
    else this.#pipeTotal = Number(total)
  }

  #onEnd(): void {
    // RST_STREAM with the codes 0 and 8 looks like an end to Node but for these two.
    if (this.#h2.aborted || (this.#h2.rstCode ?? NGHTTP2_NO_ERROR) !== NGHTTP2_NO_ERROR) {
      this.#lost('The far end reset the stream.')
      return
    }
    this.#ended = true
    this.#settle()
  }

  /** Passes the end on once everything that was sent before it has come in. */
  #settle(): void {
    if (!this.#ended || this.destroyed || this.readableEnded) return
    const total = this.#pipeTotal ?? 0
    const got = this.#pipe?.received ?? 0
    if (got > total) this.destroy(new ProtocolError('The far end sent more than it said.'))
    else if (got === total) {
      this.#pipe?.endReceiving()
      this.push(null)
    } else if (this.#pipe === undefined) this.#awaitPipe()
    else if (this.#pipe.isShort) this.destroy(streamReset('The connection that carried the stream ended too early.'))
  }

  /** The side channel that the trailer speaks of can be later than the trailer, but not by much. */
  #awaitPipe(): void {
    if (this.#awaitsPipe) return
    this.#awaitsPipe = true
    const timer = setTimeout(() => {
      if (this.#pipe === undefined) this.destroy(streamReset('The rest of the stream never came.'))
    }, REQUEST_TIMEOUT_MS)
    timer.unref()
    this.once('close', () => clearTimeout(timer))
  }

  #onClose(): void {
    if (!this.#ended) this.#lost('The far end reset the stream, or the link to it was lost.')
    else if (!this.writableFinished) this.destroy(streamReset('The far end stopped reading.'))
  }

  /** Without an answer yet, the reason may be on its way: Node 22 tells the end of a refused stream before the refusal. */
  #lost(message: string): void {
    if (this.#answered) this.destroy(streamReset(message))
    else setImmediate(() => this.destroy(streamReset(message)))
  }

  #startPipe(): void {
    this.#pipe?.receiveFrom(this.#received)
  }

  #weigh(): void {
    if (!this.#dialler || this.#pipeWanted || this.#received + this.#sent < this.#owner.heavyBytes) return
    this.#pipeWanted = true
    this.#owner.wantPipe(this)
  }

  #breakOff(): void {
    this.#pipe?.destroy()
    const h2 = this.#h2
    if (h2.destroyed || h2.closed) return
    if (!this.#dialler) {
      h2.close(NGHTTP2_CONNECT_ERROR)
      return
    }
    // The client side of HTTP/2 must not send RST_STREAM in numbers: after a thousand the far end ends the whole session.
    this.#trailers = { [RESET_TRAILER]: '1' }
    const blocked = h2.writableEnded || h2.writableLength > 0
    if (!h2.writableEnded) h2.end()
    if (blocked) this.#owner.sendAbort(this.id)
    h2.resume()
    const timer = setTimeout(() => h2.close(NGHTTP2_CANCEL), ABORT_TIMEOUT_MS)
    timer.unref()
    h2.once('close', () => clearTimeout(timer))
  }
}
