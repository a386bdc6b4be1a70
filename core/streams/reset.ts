import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/**
 * Breaks a stream off so that its far end sees a reset and not an end: RST on a TCP socket, an error on anything else.
 * Harmless when the stream is gone already.
 */
export function resetStream(stream: Duplex, reason: Error): void {
  if (stream.destroyed) return
  stream.on('error', () => {})
  // A TLS socket is a Socket too, but Node refuses to reset it; unix sockets and pipes have no RST: destroy is all there is.
  if (!(stream instanceof Socket) || stream instanceof TLSSocket || !isTcp(stream)) stream.destroy(reason)
  else if (endIsOnItsWay(stream)) stream.once('finish', () => stream.resetAndDestroy())
  else stream.resetAndDestroy()
}

function isTcp(socket: Socket): boolean {
  return socket.remotePort !== undefined || socket.connecting
}

/**
 * Whether everything is written, and the system was asked to end the direction and has not answered yet (it does so at once). libuv refuses
 * to reset a socket in this state (EINVAL, uv_tcp_close_reset), and Node (20 to 24) then leaks it: it is never closed and never emits 'close'.
 */
function endIsOnItsWay(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
}
