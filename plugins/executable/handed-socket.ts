import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { BackendUnavailableError } from '../../core/index.ts'
import type { Methods } from './messages.ts'

/**
 * Fetches the stream that an executable handed over: connects to its loopback socket and says the one-time token, so that no other
 * user of the machine can take the stream.
 * @throws BackendUnavailableError when the executable does not listen there, or the signal's reason
 */
export function fetchHandedSocket(plugin: string, handed: Methods['dial']['result'], signal: AbortSignal | undefined): Promise<Socket> {
  const { socket: where } = handed
  const target: NetConnectOpts =
    'path' in where ? { path: where.path } : { host: where.host ?? '127.0.0.1', port: where.port, noDelay: true }
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, allowHalfOpen: true })
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort)
      socket.removeListener('error', onError)
    }
    const onAbort = (): void => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(signal?.reason)
    }
    const onError = (error: Error): void => {
      settle()
      reject(new BackendUnavailableError(`The backend “${plugin}” handed over a socket on which nobody listens.`, { cause: error }))
    }
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => {
      settle()
      socket.write(`${handed.token}\n`)
      resolve(socket)
    })
  })
}
