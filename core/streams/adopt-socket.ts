import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { readForJoin } from './read-for-join.ts'
import { copiesOnWrite, isPlainSocket } from './sink.ts'

/** What Node has under a socket. It is no documented part of it; without it a socket is left as it is, only slower. */
interface Handle {
  readonly useUserBuffer?: unknown
  readStop?(): void
}

/**
 * An accepted connection, made ready to be copied by `join`: a socket reads into memory that is used again, as `connectForJoin` does (Node
 * has this for sockets that are dialled only; it takes a third of the CPU per byte off), and a TLS connection says that it copies what it
 * is given. The one that was handed in is not to be used any more.
 */
export function adoptForJoin(connection: Duplex): Duplex {
  if (connection instanceof TLSSocket) return Object.assign(connection, { [copiesOnWrite]: true })
  if (!isPlainSocket(connection)) return connection
  const old = connection as Socket & { _handle?: Handle | null }
  const handle = old._handle
  if (typeof handle?.useUserBuffer !== 'function' || old.destroyed || old.readableEnded || old.writableLength > 0) return connection
  const early = old.read() as Buffer | null
  handle.readStop?.()
  const { onread, source } = readForJoin()
  const socket = source(new Socket({ handle, allowHalfOpen: true, onread } as ConstructorParameters<typeof Socket>[0]), early ?? undefined)
  // What listened to the old one hears that it closed; the connection itself goes on.
  old._handle = null
  old.destroy()
  socket.on('error', () => {})
  return socket
}
