import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { isBeamError, resetStream, TimeoutError, UnreachableError, type Clock } from '../../core/index.ts'
import type { StreamWatch } from './answers.ts'

/** The limits of a stream, in milliseconds. */
export interface StreamLimits {
  /** How long nothing may come at all, counted from what was sent last. */
  readonly firstByteMs: number
  /** How long the end of the visitor's direction is held back while bytes of the other may still come. */
  readonly halfCloseMs: number
}

/** How much may wait for a reader that is slower than I2P, in bytes. */
export interface ReadAhead {
  /** Of one stream. */
  readonly streamBytes: number
  /** Whether all streams together have room for more. */
  readonly hasRoom: () => boolean
}

/**
 * A visitor's stream. It mends what I2P lacks, as far as one end can:
 * - I2P has no half-close. An end of the visitor's direction tears the whole stream down, and an answer that is on its way is lost. So the
 *   end is held back until the far end has ended, or nothing has come for a while.
 * - The router says that a stream is open when its first packet leaves. A far end from which no byte comes is given up after a time.
 * - Refusal, absence of the service and a proper end look the same. An end before the first byte is taken for a refusal, unless the
 *   visitor had ended its side.
 * - i2pd (2.45 to 2.58) loses what its client has not read yet when the far end closes, and then says nothing more (SAMSocket::I2PReceive).
 *   So bytes are taken from it as they come, also for a slow reader, up to a bound; beyond it that cannot be helped.
 */
export class I2pStream extends Duplex {
  readonly #socket: Socket
  readonly #limits: StreamLimits
  readonly #ahead: ReadAhead
  readonly #clock: Clock
  readonly #watch: StreamWatch | undefined
  #received = 0
  #cancelFirstByte: () => void = () => {}
  #cancelHalfClose: () => void = () => {}
  #finish: (() => void) | undefined

  constructor(socket: Socket, limits: StreamLimits, ahead: ReadAhead, clock: Clock, watch?: StreamWatch) {
    super({ allowHalfOpen: true, emitClose: true })
    this.#socket = socket
    this.#limits = limits
    this.#ahead = ahead
    this.#clock = clock
    this.#watch = watch
    socket.on('error', (error) => this.destroy(error))
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.once('end', () => this.#onEnd())
    // One that was closed without an end was reset by the router.
    socket.once('close', () => this.readableEnded || this.#ended || this.destroy(new Error('the router broke the stream off')))
    socket.resume()
    this.#awaitFirstByte()
  }

  #ended = false

  /** Whether it was given up because no byte ever came. */
  get unanswered(): boolean {
    return this.#received === 0 && isBeamError(this.errored) && this.errored.kind === 'timeout'
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#received === 0) {
      this.#awaitFirstByte()
      this.#watch?.sent()
    }
    this.#socket.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#ended) return this.#end(done)
    this.#finish = () => this.#end(done)
    this.#holdEnd()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancelFirstByte()
    this.#cancelHalfClose()
    this.#watch?.ended()
    if (error === null && this.#ended) this.#socket.destroy()
    else resetStream(this.#socket, error ?? new Error('the stream was closed'))
    done(error)
  }

  #onData(chunk: Buffer): void {
    if (this.#received === 0) {
      this.#cancelFirstByte()
      this.#watch?.answered()
    }
    this.#received += chunk.length
    if (this.#finish !== undefined) this.#holdEnd()
    const wanted = this.push(chunk)
    if (!wanted && (this.readableLength >= this.#ahead.streamBytes || !this.#ahead.hasRoom())) this.#socket.pause()
  }

  #onEnd(): void {
    this.#cancelFirstByte()
    this.#watch?.answered()
    this.#ended = true
    if (this.#received === 0 && !this.writableEnded) {
      this.destroy(new UnreachableError('The destination closed the stream before it sent anything: the service may be down, or refuse.'))
      return
    }
    this.push(null)
    this.#release()
  }

  #awaitFirstByte(): void {
    const { firstByteMs } = this.#limits
    this.#cancelFirstByte()
    this.#cancelFirstByte = this.#clock.after(
      firstByteMs,
      () =>
        this.destroy(
          new TimeoutError(`Nothing came back within ${firstByteMs / 1_000} s: the publisher may have left.`, {
            code: 'BEAM_ERR_PEER_UNREACHABLE',
          }),
        ),
      { unref: true },
    )
  }

  #holdEnd(): void {
    this.#cancelHalfClose()
    this.#cancelHalfClose = this.#clock.after(this.#limits.halfCloseMs, () => this.#release(), { unref: true })
  }

  #release(): void {
    this.#cancelHalfClose()
    const finish = this.#finish
    this.#finish = undefined
    finish?.()
  }

  #end(done: (error?: Error | null) => void): void {
    // Nobody waits for what the far end can no longer take.
    this.#socket.end(() => done())
    if (this.#socket.destroyed) done()
  }
}
