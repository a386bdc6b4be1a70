import type { Socket } from 'node:net'

/** Longest one piece of load may take. */
const LIMIT_MS = 60_000

/** Opens a connection. */
export type Dial = () => Promise<Socket>

/** From the dial to the first echoed byte, in milliseconds, and the connection, which stays open. */
export async function openAndEcho(dial: Dial): Promise<{ readonly ms: number; readonly socket: Socket }> {
  const begin = performance.now()
  const socket = await dial()
  await talk(socket, 'ECHO\nx', (received) => received >= 1)
  return { ms: performance.now() - begin, socket }
}

/** From the dial to the first echoed byte, in milliseconds. */
export async function firstByte(dial: Dial): Promise<number> {
  const { ms, socket } = await openAndEcho(dial)
  socket.destroy()
  return ms
}

/** From the dial to the last byte of a download, in milliseconds. */
export async function download(dial: Dial, bytes: number): Promise<number> {
  const begin = performance.now()
  const socket = await dial()
  await talk(socket, `DOWN ${bytes}\n`, (received) => received >= bytes)
  const ms = performance.now() - begin
  socket.destroy()
  return ms
}

/** Says the first line and reads until it is enough. */
function talk(socket: Socket, line: string, enough: (received: number) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      socket
        .off('data', read)
        .off('close', closed)
        .on('error', () => {})
      if (error === undefined) return resolve()
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(() => settle(new Error(`nothing more after ${received} bytes in ${LIMIT_MS} ms`)), LIMIT_MS)
    const closed = (): void => settle(new Error(`closed after ${received} bytes`))
    const read = (chunk: Buffer): void => {
      received += chunk.length
      if (enough(received)) settle()
    }
    socket.once('error', settle).once('close', closed).on('data', read)
    // One that comes from the SOCKS port is paused.
    socket.resume().write(line)
  })
}
