import type { Duplex } from 'node:stream'
import { resetStream } from './reset.ts'
import { isDirectSource, isPlainSocket, readInto, saysCopies, type Sink } from './sink.ts'

/** How two joined streams ended. */
export interface JoinResult {
  /** `ended`: both directions came to a proper end. `reset`: one side broke off, and the other was reset too. */
  readonly outcome: 'ended' | 'reset'
  /** Why, when it was reset. */
  readonly error?: Error
  readonly bytesAToB: number
  readonly bytesBToA: number
}

/** How the bytes of both directions may flow. */
export interface JoinOptions {
  /** Told of every chunk that passes; the answer is how many milliseconds its direction has to rest before the next (0 = none). */
  readonly pace?: (bytes: number) => number
}

/**
 * Joins two byte streams in both directions and takes both over. Bytes arrive in order and exactly once under back-pressure; an end of
 * one direction ends that direction only (half-close); a reset or loss of one side resets the other, never ends it.
 * Sockets must have been made with `allowHalfOpen: true`. Never rejects.
 */
export function join(a: Duplex, b: Duplex, options: JoinOptions = {}): Promise<JoinResult> {
  return new Promise((resolve) => {
    const aToB = pump(a, b, options.pace)
    const bToA = pump(b, a, options.pace)
    let failure: Error | undefined
    let open = 2

    function watch(stream: Duplex, other: Duplex): void {
      let closed = false
      // An 'error' is always followed by 'close'; it is heard here so that it cannot end the process.
      stream.on('error', (error: Error) => (failure ??= error))
      const onClose = (): void => {
        if (closed) return
        closed = true
        const clean = stream.readableEnded && stream.writableFinished && stream.errored === null
        if (!clean) {
          failure ??= new Error('the stream was closed before its end')
          resetStream(other, failure)
        }
        if (--open === 0) {
          const bytes = { bytesAToB: aToB.bytes, bytesBToA: bToA.bytes }
          resolve(failure === undefined ? { outcome: 'ended', ...bytes } : { outcome: 'reset', error: failure, ...bytes })
        }
      }
      stream.on('close', onClose)
      if (stream.closed) queueMicrotask(onClose)
    }
    watch(a, b)
    watch(b, a)
  })
}

/** A chunk this large is a full TLS record (RFC 8446 section 5.1) less what the framing takes: the stream is moving bulk. */
const RECORD_BYTES = 15 * 1024
/** What is longer was gathered already. */
const MAX_RECORD_BYTES = 16 * 1024
/** What may wait for a reader that is slower than the other side: enough to fill one call, bounded for those who stand still. */
const MAX_QUEUED_BYTES = 128 * 1024

interface Pump {
  bytes: number
}

/** Moves the bytes of one direction. */
function pump(from: Duplex, to: Duplex, pace?: JoinOptions['pace']): Pump {
  const state: Pump = { bytes: 0 }
  const kernel = isPlainSocket(to)
  const gathers = kernel && !isPlainSocket(from)
  let waiting = false
  let gathering = false
  let resting = false

  const sink: Sink = {
    write(chunk, written) {
      state.bytes += chunk.length
      if (to.destroyed || to.writableEnded) {
        written?.()
        return true
      }
      // Full TLS records come one by one; those of one turn go to the kernel in one call. Short messages are never held back.
      if (gathers && chunk.length >= RECORD_BYTES && chunk.length <= MAX_RECORD_BYTES) gather()
      const room = to.write(chunk, written) || to.writableLength < MAX_QUEUED_BYTES
      if (!room && !waiting) {
        waiting = true
        to.once('drain', onDrain)
      }
      // What was under way when the rest began counts too: the next rest is the longer for it.
      const restMs = pace?.(chunk.length) ?? 0
      if (!resting) rest(restMs)
      return room && !resting
    },
    get keeps() {
      return !kernel
    },
    get copies() {
      return !kernel && saysCopies(to)
    },
    get idle() {
      return to.writableLength === 0
    },
  }
  function onDrain(): void {
    waiting = false
    if (!resting) from.resume()
  }
  function rest(ms: number): void {
    if (ms <= 0) return
    resting = true
    setTimeout(() => {
      resting = false
      if (!waiting) from.resume()
    }, ms)
  }
  function gather(): void {
    if (gathering) return
    gathering = true
    to.cork()
    setImmediate(() => {
      gathering = false
      to.uncork()
    })
  }

  // A socket ends without being read when nothing was sent: that may have happened while the other side was still being dialled.
  if (from.readableEnded) passEnd(from, to)
  else from.on('end', () => passEnd(from, to))
  if (isDirectSource(from)) {
    from[readInto](sink)
  } else {
    from.on('data', (chunk: Buffer) => {
      if (!sink.write(chunk)) from.pause()
    })
  }
  from.resume()
  return state
}

const NOTHING = Buffer.alloc(0)

/**
 * Passes an end on. The system reports a reset that follows bytes of a paused socket as an end when those are read (libuv takes the hang-up
 * for it); only a write tells. A failed one destroys the socket, which resets the other side. Once our own end is out nothing can be asked.
 */
function passEnd(from: Duplex, to: Duplex): void {
  if (!isPlainSocket(from) || !from.writable) to.end()
  // What waits to be written fails in this very turn.
  else if (from.writableLength > 0) setImmediate(() => from.destroyed || to.end())
  else from.write(NOTHING, (error) => error || to.end())
}
