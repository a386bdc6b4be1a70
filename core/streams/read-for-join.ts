import type { OnReadOpts, Socket } from 'node:net'
import { ReadArena } from './read-arena.ts'
import { readInto, type DirectSource, type Sink } from './sink.ts'

/**
 * Has a socket read into memory that is used again (Node's `onread` option), and only once it is joined.
 * @returns the option, and what makes the socket that was made with it a source for `join`; `early` are bytes that came before
 */
export function readForJoin(): { onread: OnReadOpts; source: <T extends Socket>(socket: T, early?: Buffer) => T & DirectSource } {
  const arena = new ReadArena()
  let sink: Sink | undefined
  return {
    onread: {
      buffer: () => arena.space,
      callback(length: number): boolean {
        if (sink === undefined) return false
        arena.filled(length)
        const room = arena.flush(sink)
        arena.turn()
        return room
      },
    },
    source(socket, early) {
      socket.pause()
      socket.once('close', () => arena.release())
      return Object.assign(socket, {
        [readInto](destination: Sink) {
          sink = destination
          if (early !== undefined) destination.write(early)
        },
      })
    },
  }
}
