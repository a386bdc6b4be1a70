import { isIP, type Server } from 'node:net'
import { BackendUnavailableError, ConfigError } from '../errors.ts'

/** Listens on a local address. @throws BackendUnavailableError (`BEAM_ERR_PORT_IN_USE`), ConfigError */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port))
    server.once('error', onError)
    server.listen({ host, port }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new BackendUnavailableError(`Port ${port} on ${host} is in use.`, {
        code: 'BEAM_ERR_PORT_IN_USE',
        hint: 'Use another port, or --port 0 for any that is free.',
        cause: error,
      })
    case 'EACCES':
      return new ConfigError(`Listening on port ${port} is not permitted.`, {
        hint: 'Use a port above 1023, or --port 0 for any that is free.',
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(`${host} is no address of this machine.`, { hint: 'Leave --bind out to listen on 127.0.0.1.', cause: error })
    default:
      return new BackendUnavailableError(`Listening on ${host}:${port} failed: ${error.message}`, { cause: error })
  }
}

/** Whether only this machine can connect to an address: 127.0.0.0/8 (RFC 1122 section 3.2.1.3) or ::1. */
export function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.')) || host.startsWith('::ffff:127.')
}
