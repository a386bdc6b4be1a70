import type { Duplex } from 'node:stream'
import type { Sink } from '../streams/sink.ts'
import { ABORT_TIMEOUT_MS, PIPE_OFFSET_BYTES, REQUEST_TIMEOUT_MS } from './constants.ts'

/** The connection of a side channel. */
export interface PipeCarrier {
  readonly connection: Duplex
  /** Starts to read into memory that is used again; absent = by 'data' events. */
  readonly readInto?: (sink: Sink) => void
}

/**
 * One end of a side channel: a TLS connection that carries the raw bytes of one stream, both ways, from where the link left off.
 * Each direction starts with the number of bytes that its sender had put through the link before.
 */
export class PipeHalf implements Sink {
  /** Takes received bytes when there is no sink; false = pause. */
  onChunk: (chunk: Buffer) => boolean = () => true
  /** Where received bytes go straight to, when the stream is joined. */
  sink: Sink | undefined
  /** Called after bytes were received or held back, and when no more will come. */
  onProgress: () => void = () => {}
  /** Called when the connection broke while it was needed. */
  onLost: (error?: Error) => void = () => {}
  /** Bytes of the stream received and sent here. */
  received = 0
  sent = 0
  /** Whether our direction has moved over. */
  sending = false
  readonly #connection: Duplex
  #offset: number | undefined
  #offsetBytes = Buffer.alloc(0)
  #held: Buffer | undefined
  #linkReceived = 0
  #done = false
  /** Nothing that comes counts any more. */
  #through = false
  #lateTrailer: NodeJS.Timeout | undefined

  constructor({ connection, readInto }: PipeCarrier) {
    this.#connection = connection
    if (readInto !== undefined) readInto(this)
    else {
      connection.on('data', (chunk: Buffer) => {
        if (!this.write(chunk)) connection.pause()
      })
    }
    connection.on('error', (error: Error) => this.#lose(error))
    connection.on('close', () => {
      // A proper end is judged by the byte count in the stream's trailer, not by the connection.
      if (!connection.readableEnded) this.#lose()
    })
    connection.on('end', () => this.#awaitTrailer())
    // The first bytes are the offset, so reading starts at once.
    connection.resume()
  }

  /** Whether our direction can use it. */
  get ready(): boolean {
    return !this.#connection.destroyed && this.#connection.writable
  }

  /** Once the link has delivered everything: whether bytes that are missing can't come any more, in the link or here. */
  get isShort(): boolean {
    return this.#connection.readableEnded || (this.#offset !== undefined && this.#linkReceived < this.#offset)
  }

  /** Whether so many bytes through the link are more than the far end said it would send there. */
  isOvertakenBy(linkReceived: number): boolean {
    return this.#offset !== undefined && linkReceived > this.#offset
  }

  send(chunk: Buffer, offset: number, callback: (error?: Error | null) => void): void {
    if (!this.sending) {
      this.sending = true
      const header = Buffer.alloc(PIPE_OFFSET_BYTES)
      header.writeBigUInt64BE(BigInt(offset))
      this.#connection.write(header)
    }
    this.sent += chunk.length
    this.#connection.write(chunk, callback)
  }

  /** Says how much came through the link: when that is all of it, what came in here follows. */
  receiveFrom(linkReceived: number): void {
    this.#linkReceived = linkReceived
    if (this.#held === undefined || !this.#caughtUp()) return
    const held = this.#held
    this.#held = undefined
    if (this.#pass(held)) this.#connection.resume()
  }

  resume(): void {
    if (this.#held === undefined) this.#connection.resume()
  }

  /** All that the far end had to send came in: what comes behind it is dropped. */
  endReceiving(): void {
    clearTimeout(this.#lateTrailer)
    this.#through = true
  }

  /** Both directions are through. */
  finish(): void {
    this.#done = true
    this.#through = true
    // A far end that does not end its own direction would keep the connection for good.
    const timer = setTimeout(() => this.#connection.destroy(), ABORT_TIMEOUT_MS)
    timer.unref()
    this.#connection.once('close', () => clearTimeout(timer))
    this.#connection.resume()
    this.#connection.end()
  }

  destroy(): void {
    clearTimeout(this.#lateTrailer)
    this.#done = true
    this.#connection.destroy()
  }

  /** Takes bytes of the connection: as a sink, the only thing that may read from it. */
  write(chunk: Buffer, written?: () => void): boolean {
    let rest = chunk
    if (this.#offset === undefined) {
      const missing = PIPE_OFFSET_BYTES - this.#offsetBytes.length
      this.#offsetBytes = Buffer.concat([this.#offsetBytes, chunk.subarray(0, missing)])
      if (this.#offsetBytes.length < PIPE_OFFSET_BYTES) return true
      this.#offset = Number(this.#offsetBytes.readBigUInt64BE())
      if (this.isOvertakenBy(this.#linkReceived)) {
        this.#lose(new Error('the far end had sent more through the link than it says'))
        return true
      }
      rest = chunk.subarray(missing)
    }
    if (rest.length === 0 || this.#done || this.#through) return true
    if (this.#caughtUp()) return this.#pass(rest, written)
    this.#held = this.#held === undefined ? rest : Buffer.concat([this.#held, rest])
    this.onProgress()
    return false
  }

  get keeps(): boolean {
    return !this.#caughtUp() || this.sink === undefined || this.sink.keeps
  }

  get copies(): boolean {
    return this.#caughtUp() && this.sink?.copies === true
  }

  get idle(): boolean {
    return this.#caughtUp() && this.sink?.idle === true
  }

  #caughtUp(): boolean {
    return this.#offset !== undefined && this.#linkReceived >= this.#offset
  }

  #pass(chunk: Buffer, written?: () => void): boolean {
    this.received += chunk.length
    const room = this.sink === undefined ? this.onChunk(chunk) : this.sink.write(chunk, written)
    this.onProgress()
    return room
  }

  /** A far end ends its connection when both directions are through: the trailer that says so is on its way in the link, or never comes. */
  #awaitTrailer(): void {
    this.onProgress()
    if (this.#through || this.#done) return
    this.#lateTrailer = setTimeout(() => this.#lose(new Error('the connection ended, and the stream did not')), REQUEST_TIMEOUT_MS)
    this.#lateTrailer.unref()
  }

  #lose(error?: Error): void {
    clearTimeout(this.#lateTrailer)
    if (this.#done) return
    this.#done = true
    this.onLost(error)
  }
}
