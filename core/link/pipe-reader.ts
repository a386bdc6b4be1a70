import type { Socket } from 'node:net'
import { ReadArena } from '../streams/read-arena.ts'
import type { Sink } from '../streams/sink.ts'

/** A read this long is a full TLS record (RFC 8446 section 5.1): more are likely to follow in the same turn. */
const RECORD_BYTES = 15 * 1024

/** How a connection reads into memory that is used again: the option of `tls.connect`, and how to start. */
export interface PipeReader {
  readonly onread: { readonly buffer: () => Buffer; readonly callback: (length: number) => boolean }
  start(connection: Socket, sink: Sink): void
}

/**
 * Reads the records of a TLS connection side by side into one buffer and hands them on together, once in a turn of the event loop: one
 * call to the kernel instead of one for every 16 KiB, and no buffer made for each. Short messages are handed on at once.
 */
export function pipeReader(): PipeReader {
  const arena = new ReadArena()
  let sink: Sink | undefined
  let connection: Socket | undefined
  let scheduled = false

  function flush(): boolean {
    return sink === undefined ? false : arena.flush(sink)
  }
  function flushLater(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      if (!flush()) connection?.pause()
    })
  }
  return {
    onread: {
      buffer: () => arena.space,
      callback(length) {
        arena.filled(length)
        const more = length >= RECORD_BYTES && arena.hasSpace
        const room = more || flush()
        if (more) flushLater()
        arena.turn()
        return room
      },
    },
    start(reading, destination) {
      connection = reading
      sink = destination
      reading.prependListener('end', flush)
      reading.prependListener('close', () => {
        flush()
        arena.release()
      })
    },
  }
}
