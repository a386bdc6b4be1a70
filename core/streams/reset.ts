import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Breaks a stream off so that its far end sees a reset and not an end: RST on a TCP socket, an error on anything else.
 * Harmless when the stream is gone already.
 */
export function resetStream(stream: Duplex, reason: Error): void {
  if (stream.destroyed) return
  // A TLS socket is a Socket too, but has no RST of its own: TCP's does it. Unix sockets and pipes have none: destroy is all there is.
  if (stream instanceof Socket && isTcp(stream)) {
    stream.on('error', () => {})
    stream.resetAndDestroy()
  } else {
    stream.on('error', () => {})
    stream.destroy(reason)
  }
}

function isTcp(socket: Socket): boolean {
  return socket.remotePort !== undefined || socket.connecting
}
