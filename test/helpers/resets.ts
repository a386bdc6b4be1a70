import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'

/** Connections at a time. */
const AT_ONCE = 50
/** How long a visitor waits for the service to reset before doing it, in milliseconds. */
const PATIENCE_MS = 5

/** An HTTP service that answers `alive`, and resets every second connection when its first bytes have come. */
export function resettingService(): Server {
  const server = createServer((_, response) => void response.end('alive'))
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    if (++accepted % 2 === 0) socket.once('data', () => socket.resetAndDestroy())
  })
  return server
}

/** Makes connections to a port and resets those that the far end does not reset itself: half at once, half a moment later. */
export async function resetConnections(port: number, count: number): Promise<void> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      const closed = new Promise((resolve) => socket.once('close', resolve))
      await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed])
      const atOnce = left % 2 === 0
      socket.write('POST / HTTP/1.1\r\n', () => atOnce && socket.resetAndDestroy())
      const timer = setTimeout(() => socket.resetAndDestroy(), PATIENCE_MS)
      await closed
      clearTimeout(timer)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
