import { Duplex } from 'node:stream'
import { UnreachableError } from '../errors.ts'

/** How much one direction holds before the writer has to wait, in bytes: what a loopback socket's read takes at once. */
const MEMORY_STREAM_BUFFER_BYTES = 64 * 1024

/**
 * One end of an in-process connection that behaves like a TCP socket with `allowHalfOpen`: ending one direction leaves the other open,
 * a writer waits for a slow reader, and an end that is destroyed too early resets the other one.
 */
export class MemoryStream extends Duplex {
  #peer: MemoryStream | undefined
  #waiting: (() => void) | undefined
  /** Bytes that arrived from the other end. */
  bytesRead = 0
  /** Bytes that the other end took over. */
  bytesWritten = 0

  private constructor() {
    super({ allowHalfOpen: true, highWaterMark: MEMORY_STREAM_BUFFER_BYTES })
  }

  /** Two ends of one connection. */
  static pair(): [MemoryStream, MemoryStream] {
    const a = new MemoryStream()
    const b = new MemoryStream()
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  override _read(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const peer = this.#peer
    if (peer === undefined || peer.destroyed) {
      callback(resetError())
      return
    }
    this.bytesWritten += chunk.length
    peer.bytesRead += chunk.length
    // A copy, because the writer may use its buffer again once the write is acknowledged.
    if (peer.push(Buffer.from(chunk))) callback()
    else peer.#waiting = callback
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#peer?.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const peer = this.#peer
    this.#peer = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    const ended = this.readableEnded && this.writableFinished
    if (!ended && peer !== undefined && !peer.destroyed) queueMicrotask(() => peer.destroy(resetError()))
    waiting?.()
    callback(error)
  }
}

function resetError(): UnreachableError {
  return new UnreachableError('The far end reset the stream.', { code: 'BEAM_ERR_STREAM_RESET' })
}
