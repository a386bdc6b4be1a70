import { connect, createServer, type Server, type Socket } from 'node:net'
import { DIAL_LIMIT_MS } from '../../constants.ts'

/** A listening socket for somebody else, who accepts from it. */
export function listenFor(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ host, port }, () => resolve(server))
  })
}

/** A connection for somebody else, of which nothing was read yet. */
export function dialFor(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    // What is read here would be missing there.
    socket.pause()
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error('nobody answers'), { code: 'ETIMEDOUT' })), DIAL_LIMIT_MS)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', onError)
      socket.on('error', () => {})
      resolve(socket)
    })
    function onError(error: Error): void {
      clearTimeout(timer)
      reject(error)
    }
    socket.once('error', onError)
  })
}
