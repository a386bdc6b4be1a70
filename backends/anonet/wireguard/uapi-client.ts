import { connect } from 'node:net'
import { BackendUnavailableError, ProtocolError } from '../../../core/index.ts'
import { CONTROL_LIMIT_MS, MAX_WIREGUARD_BYTES } from '../constants.ts'
import { GET, readErrno, readState, type WireGuardState } from './uapi.ts'

/** Asks a control socket once: one request, one answer, which ends with an empty line. */
function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let answer = ''
    const timer = setTimeout(() => fail(new BackendUnavailableError('WireGuard does not answer its control socket.')), CONTROL_LIMIT_MS)
    function fail(error: Error): void {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
      if (answer.length > MAX_WIREGUARD_BYTES)
        return fail(new ProtocolError(`WireGuard's answer is longer than ${MAX_WIREGUARD_BYTES} bytes.`))
      if (!answer.endsWith('\n\n')) return
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    })
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      fail(new BackendUnavailableError(`WireGuard's control socket cannot be used: ${cause.code ?? cause.message}.`, { cause })),
    )
    socket.on('close', () => fail(new ProtocolError('WireGuard closed its control socket before it had answered.')))
    socket.write(request)
  })
}

/** Sends a `set` request. @throws BackendUnavailableError when WireGuard refuses it (a port that is taken: `EADDRINUSE` as cause code) */
export async function setInterface(path: string, request: string): Promise<void> {
  const errno = readErrno(await exchange(path, request))
  if (errno === 0) return
  throw new BackendUnavailableError(`WireGuard refused its settings (${errno}).`, {
    ...(errno === EADDRINUSE && { code: 'BEAM_ERR_PORT_IN_USE' }),
  })
}

/** Linux' number of "address in use", as wireguard-go passes it on. */
const EADDRINUSE = -98

/** The state of an interface. */
export async function getInterface(path: string): Promise<WireGuardState> {
  return readState(await exchange(path, GET))
}
