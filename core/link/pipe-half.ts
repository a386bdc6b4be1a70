import type { Duplex } from 'node:stream'
import { PIPE_OFFSET_BYTES } from './constants.ts'

/**
 * One end of a side channel: a TLS connection that carries the raw bytes of one stream, both ways, from where the link left off.
 * Each direction starts with the number of bytes that its sender had put through the link before.
 */
export class PipeHalf {
  /** Takes received bytes; false = pause. */
  onChunk: (chunk: Buffer) => boolean = () => true
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

  constructor(connection: Duplex) {
    this.#connection = connection
    connection.on('data', (chunk: Buffer) => this.#onData(chunk))
    connection.on('error', (error: Error) => this.#lose(error))
    connection.on('close', () => {
      // A proper end is judged by the byte count in the stream's trailer, not by the connection.
      if (!connection.readableEnded) this.#lose()
    })
    // TLS buffers a whole record anyway; the first data is the offset, so reading starts at once.
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

  #onData(chunk: Buffer): void {
    let rest = chunk
    if (this.#offset === undefined) {
      const missing = PIPE_OFFSET_BYTES - this.#offsetBytes.length
      this.#offsetBytes = Buffer.concat([this.#offsetBytes, chunk.subarray(0, missing)])
      if (this.#offsetBytes.length < PIPE_OFFSET_BYTES) return
      this.#offset = Number(this.#offsetBytes.readBigUInt64BE())
      rest = chunk.subarray(missing)
    }
    if (rest.length === 0) return
    if (this.#caughtUp()) {
      if (!this.#pass(rest)) this.#connection.pause()
      return
    }
    this.#held = this.#held === undefined ? rest : Buffer.concat([this.#held, rest])
    this.#connection.pause()
  }

  #caughtUp(): boolean {
    return this.#offset !== undefined && this.#linkReceived >= this.#offset
  }

  #pass(chunk: Buffer): boolean {
    this.received += chunk.length
    const room = this.onChunk(chunk)
    this.onProgress()
    return room
  }

  #lose(error?: Error): void {
    if (this.#done) return
    this.#done = true
    this.onLost(error)
  }
}
