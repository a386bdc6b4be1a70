import type { Duplex } from 'node:stream'
import type { Sink } from '../streams/sink.ts'
import { PIPE_OFFSET_BYTES } from './constants.ts'

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
  /** Called after bytes were received. */
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
    // The first bytes are the offset, so reading starts at once.
    connection.resume()
  }

  /** Whether our direction can use it. */
  get ready(): boolean {
    return !this.#connection.destroyed && this.#connection.writable
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

  /** Both directions are through. */
  finish(): void {
    this.#done = true
    this.#connection.resume()
    this.#connection.end()
  }

  destroy(): void {
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
      rest = chunk.subarray(missing)
    }
    if (rest.length === 0) return true
    if (this.#caughtUp()) return this.#pass(rest, written)
    this.#held = this.#held === undefined ? rest : Buffer.concat([this.#held, rest])
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

  #lose(error?: Error): void {
    if (this.#done) return
    this.#done = true
    this.onLost(error)
  }
}
