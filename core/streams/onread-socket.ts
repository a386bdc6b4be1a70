import { connect, Socket, type NetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** First read buffer: most connections carry small messages, and an idle one should cost little. */
const FIRST_BUFFER_BYTES = 16 * 1024
/** Largest read buffer: above it nothing is gained (docs/performance.md). */
const MAX_BUFFER_BYTES = 256 * 1024
/** A read shorter than this is copied out when the destination may keep it, instead of pinning a whole buffer. */
const COPY_BELOW_BYTES = 8 * 1024

/**
 * A stream whose `write` has taken the bytes over when it returns, provided that nothing was queued before (a TLS connection encrypts
 * at once). Streams without this mark may keep a reference to the chunk.
 */
export const copiesOnWrite = Symbol('beam.copiesOnWrite')

/** The reading half of a socket that reads into buffers of ours. */
export interface OnreadSource {
  /** Connects the source to its destination; `deliver` writes and says whether there is room. Reading starts with `socket.resume()`. */
  start(to: Duplex, deliver: (chunk: Buffer) => boolean): void
}

const sources = new WeakMap<Socket, OnreadSource>()

/** The onread source of a socket made by {@link connectForJoin}, once; undefined for any other socket. */
export function takeOnreadSource(socket: Socket): OnreadSource | undefined {
  const source = sources.get(socket)
  sources.delete(socket)
  return source
}

/**
 * Dials a socket whose bytes can only be had through `join`: it reads into a buffer that is used again as soon as the kernel or
 * the cipher has taken the bytes, which halves the CPU per byte of `pipe()` (Node's `onread` option). It does not read before it is joined.
 */
export function connectForJoin(options: NetConnectOpts): Socket {
  let buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES)
  let to: Duplex | undefined
  let deliver: ((chunk: Buffer) => boolean) | undefined

  const socket = connect({
    ...options,
    noDelay: true,
    allowHalfOpen: true,
    onread: {
      buffer: () => buffer,
      callback(length: number): boolean {
        if (to === undefined || deliver === undefined) return false
        const kind = destinationKind(to)
        const copied = kind === 'copies' && to.writableLength === 0
        const clone = !copied && kind !== 'kernel' && length < COPY_BELOW_BYTES
        const bytes = buffer.subarray(0, length)
        const room = deliver(clone ? Buffer.from(bytes) : bytes)
        const free = copied || clone || (kind === 'kernel' && to.writableLength === 0)
        const full = length === buffer.length && buffer.length < MAX_BUFFER_BYTES
        if (full) buffer = Buffer.allocUnsafeSlow(Math.min(buffer.length * 4, MAX_BUFFER_BYTES))
        else if (!free) buffer = Buffer.allocUnsafeSlow(buffer.length)
        return room
      },
    },
  } as NetConnectOpts)
  socket.pause()
  sources.set(socket, {
    start(destination, write) {
      to = destination
      deliver = write
    },
  })
  return socket
}

/** Who has the bytes when `write` returns: the kernel or a queue (the length tells), the cipher, or nobody knows. */
function destinationKind(to: Duplex): 'kernel' | 'copies' | 'keeps' {
  if (isPlainSocket(to)) return 'kernel'
  return (to as { [copiesOnWrite]?: boolean })[copiesOnWrite] === true ? 'copies' : 'keeps'
}

/** Whether a stream is a socket of the system itself, without a cipher. */
export function isPlainSocket(stream: Duplex): boolean {
  return stream instanceof Socket && !(stream instanceof TLSSocket)
}
