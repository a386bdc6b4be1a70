import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/**
 * A stream whose `write` has taken the bytes over when it returns, provided that nothing was queued before (a TLS connection encrypts
 * at once), and at the latest when it calls back. Streams without this mark may keep a reference to the chunk for ever.
 */
export const copiesOnWrite = Symbol('beam.copiesOnWrite')

/** Where the bytes of one direction go, and who owns a chunk after it was handed over. */
export interface Sink {
  /** Hands a chunk over; false = no room, `resume()` of the source follows. `written` is called when the chunk is written, never before this returns. */
  write(chunk: Buffer, written?: () => void): boolean
  /** Whether the destination may keep a reference to a chunk for ever. */
  readonly keeps: boolean
  /** Whether the destination encrypts a chunk before `write` returns when nothing is queued. */
  readonly copies: boolean
  /** Whether nothing waits to be written. */
  readonly idle: boolean
}

/**
 * A stream that hands its chunks straight to their destination, past its own readable side, so that it can use its buffers again.
 * `resume()` goes on after a `false`; 'end' comes as usual.
 */
export const readInto = Symbol('beam.readInto')

/** A stream with such a way. */
export interface DirectSource {
  [readInto](sink: Sink): void
}

/** Whether a stream has it. */
export function isDirectSource(stream: Duplex): stream is Duplex & DirectSource {
  return readInto in stream
}

/** Whether a stream is a socket of the system itself, without a cipher. */
export function isPlainSocket(stream: Duplex): boolean {
  return stream instanceof Socket && !(stream instanceof TLSSocket)
}

/** Whether a stream says that it copies. It can change: a heavy stream of a link moves to a connection of its own. */
export function saysCopies(stream: Duplex): boolean {
  return (stream as { [copiesOnWrite]?: boolean })[copiesOnWrite] === true
}
