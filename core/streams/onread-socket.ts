import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { ReadArena } from './read-arena.ts'
import { readInto, type DirectSource, type Sink } from './sink.ts'

/**
 * Dials a socket whose bytes can only be had through `join`: it reads into memory that is used again (Node's `onread` option), which halves
 * the CPU per byte of `pipe()`. It does not read before it is joined.
 */
export function connectForJoin(options: NetConnectOpts): Socket & DirectSource {
  const arena = new ReadArena()
  let sink: Sink | undefined
  const socket = connect({
    ...options,
    noDelay: true,
    allowHalfOpen: true,
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
  } as NetConnectOpts)
  socket.pause()
  socket.once('close', () => arena.release())
  return Object.assign(socket, {
    [readInto](destination: Sink) {
      sink = destination
    },
  })
}
