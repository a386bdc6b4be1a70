import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Result } from './protocol.ts'

/** Connections that are opened at the same time; more would measure the backlog of a listener. */
const OPENING = 64
/** Longest wait for one echo, in milliseconds. */
const ECHO_MS = 15_000

const held: Socket[] = []

/** Opens `count` connections that stay open and idle, each after one echo, so that they are known to reach the origin. */
export async function hold(port: number, count: number): Promise<Result> {
  const errors = await open(port, count, held)
  return { count: held.length, errors }
}

/** Closes what is held. */
export async function release(): Promise<Result> {
  const closed = held.splice(0).filter((socket) => !socket.destroyed)
  await Promise.all(closed.map((socket) => once(socket.destroy(), 'close')))
  return { count: closed.length }
}

/** Opens `count` connections, and when all are open has all of them echo at once. */
export async function crowd(port: number, count: number): Promise<Result> {
  const sockets: Socket[] = []
  const begin = performance.now()
  const refused = await open(port, count, sockets)
  const echoes = await Promise.allSettled(sockets.map((socket, index) => echo(socket, `crowd ${index}\n`)))
  const lost = echoes.filter(({ status }) => status === 'rejected').length
  for (const socket of sockets) socket.destroy()
  return { count, errors: refused + lost, seconds: (performance.now() - begin) / 1000 }
}

async function open(port: number, count: number, sockets: Socket[]): Promise<number> {
  let errors = 0
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      // A failure shows in the echo.
      socket.on('error', () => {})
      socket.write('ECHO\n')
      try {
        await echo(socket, `open ${index}\n`)
        sockets.push(socket)
      } catch {
        errors++
        socket.destroy()
      }
    }
  }
  await Promise.all(Array.from({ length: OPENING }, worker))
  return errors
}

function echo(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = ''
    const finish = (error?: Error): void => {
      clearTimeout(timer)
      socket.off('data', read)
      socket.off('close', closed)
      if (error === undefined) resolve()
      else reject(error)
    }
    const closed = (): void => finish(new Error('closed'))
    const read = (chunk: Buffer): void => {
      got += chunk.toString('latin1')
      if (got.length >= text.length) finish(got === text ? undefined : new Error('another echo'))
    }
    const timer = setTimeout(() => finish(new Error('no echo in time')), ECHO_MS)
    if (socket.destroyed) return closed()
    socket.on('data', read)
    socket.on('close', closed)
    socket.write(text)
  })
}
