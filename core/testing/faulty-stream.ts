import { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { UnreachableError } from '../errors.ts'
import { resetStream } from '../streams/index.ts'
import { DelayLine } from './delay-line.ts'

/** What goes wrong with a stream. Asked for each chunk, so that it can change while the stream is open. */
export interface StreamFaults {
  /** How much later a chunk arrives, in milliseconds. */
  delayMs(): number
  /** How many bytes a direction carries in a second. */
  bytesPerSecond(): number
  /** After so many bytes, both directions together, the stream is reset. */
  resetAfterBytes(): number
  /** After so many bytes of one direction, this direction ends as if it were complete. */
  truncateAfterBytes(): number
}

/** Chunks that wait in one direction before the sender is held back. */
const MAX_WAITING_CHUNKS = 64

/** A stream with faults in both directions, around another one, which it owns. */
export class FaultyStream extends Duplex {
  readonly #inner: Duplex
  readonly #faults: StreamFaults
  readonly #arriving: DelayLine
  readonly #leaving: DelayLine
  #arrived = 0
  #left = 0
  #truncated = false
  #waiting: (() => void) | undefined
  readonly #clock: Clock
  /** When the line of each direction is free, in milliseconds. */
  readonly #freeAt = { arriving: 0, leaving: 0 }

  constructor(inner: Duplex, faults: StreamFaults, clock: Clock) {
    super({ allowHalfOpen: true })
    this.#inner = inner
    this.#faults = faults
    this.#clock = clock
    this.#arriving = new DelayLine(clock)
    this.#leaving = new DelayLine(clock)
    inner.on('error', () => {})
    inner.on('data', (chunk: Buffer) => {
      this.#arriving.push(this.#transitMs('arriving', chunk.length), () => this.#arrive(chunk))
      if (this.#arriving.length >= MAX_WAITING_CHUNKS) inner.pause()
    })
    inner.on('end', () => this.#arriving.push(this.#transitMs('arriving', 0), () => this.#truncated || this.push(null)))
    inner.on('drain', () => this.#proceed())
    inner.on('close', () => this.#arriving.push(this.#transitMs('arriving', 0), () => this.#closed()))
    inner.pause()
  }

  override _read(): void {
    if (this.#arriving.length < MAX_WAITING_CHUNKS) this.#inner.resume()
  }

  /** Holds everything back, or lets it go on. */
  hold(held: boolean): void {
    this.#arriving.hold(held)
    this.#leaving.hold(held)
  }

  /** How long a chunk takes: it waits for its turn on the line, then comes the delay. */
  #transitMs(direction: 'arriving' | 'leaving', bytes: number): number {
    const now = this.#clock.monotonic()
    const free = Math.max(now, this.#freeAt[direction]) + (bytes / this.#faults.bytesPerSecond()) * 1_000
    this.#freeAt[direction] = free
    return free - now + this.#faults.delayMs()
  }

  #arrive(chunk: Buffer): void {
    if (this.destroyed || this.#truncated) return
    const room = this.#faults.truncateAfterBytes() - this.#arrived
    const kept = chunk.subarray(0, Math.max(0, room))
    this.#arrived += kept.length
    const more = kept.length === 0 || this.push(kept)
    if (!more) this.#inner.pause()
    else if (this.#arriving.length < MAX_WAITING_CHUNKS) this.#inner.resume()
    if (kept.length < chunk.length) {
      this.#truncated = true
      this.push(null)
      // What else comes is read and dropped, so that the far end does not wait for ever.
      this.#inner.resume()
    }
    this.#resetWhenDue()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const copy = Buffer.from(chunk)
    this.#leaving.push(this.#transitMs('leaving', copy.length), () => this.#leave(copy))
    this.#waiting = callback
    this.#proceed()
  }

  #leave(chunk: Buffer): void {
    if (this.destroyed || this.#inner.writableEnded) return
    const room = this.#faults.truncateAfterBytes() - this.#left
    const kept = chunk.subarray(0, Math.max(0, room))
    this.#left += kept.length
    if (kept.length > 0) this.#inner.write(kept)
    if (kept.length < chunk.length) this.#inner.end()
    this.#resetWhenDue()
    this.#proceed()
  }

  /** Takes the next chunk from the writer when there is room for it. */
  #proceed(): void {
    if (this.#leaving.length >= MAX_WAITING_CHUNKS || this.#inner.writableNeedDrain) return
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#leaving.push(this.#transitMs('leaving', 0), () => {
      this.#inner.end()
      callback()
    })
  }

  #resetWhenDue(): void {
    if (this.#arrived + this.#left < this.#faults.resetAfterBytes()) return
    this.destroy(new UnreachableError('The stream was reset on purpose.', { code: 'BEAM_ERR_STREAM_RESET' }))
  }

  /** The inner stream is gone: properly when it had ended, else this one breaks off, too. */
  #closed(): void {
    const inner = this.#inner
    if (inner.readableEnded && inner.writableFinished && inner.errored === null) return
    this.destroy(new UnreachableError('The far end reset the stream.', { code: 'BEAM_ERR_STREAM_RESET' }))
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#arriving.stop()
    this.#leaving.stop()
    const waiting = this.#waiting
    this.#waiting = undefined
    const ended = this.readableEnded && this.writableFinished
    if (!ended) resetStream(this.#inner, error ?? new Error('the stream was broken off'))
    waiting?.()
    callback(error)
  }
}
