import { connect, type Socket } from 'node:net'
import { BackendUnavailableError, ProtocolError, TimeoutError, type Clock } from '../../../../core/index.ts'
import {
  connectRequest,
  credentials,
  greeting,
  METHOD_PASSWORD,
  parseMethod,
  parsePasswordStatus,
  parseReply,
  type Parsed,
  type SocksUser,
} from './socks-message.ts'

/** Where a SOCKS port is. */
export type SocksTarget = { readonly host: string; readonly port: number } | { readonly path: string }

/** The proxy gives up after two minutes by itself (`SocksTimeout`); this is for one that does not. */
const DIAL_LIMIT_MS = 125_000
/** The first two answers are given from memory. */
const HANDSHAKE_LIMIT_MS = 10_000

/** One dial. */
export interface SocksDial {
  readonly proxy: SocksTarget
  readonly host: string
  readonly port: number
  readonly user: SocksUser
  /** Told when the proxy is connected, before it is asked for anything. */
  readonly onConnected?: (socket: Socket) => void
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/** What came of a dial: a stream, or the code with which the proxy refused. */
export type SocksResult = { readonly socket: Socket } | { readonly code: number }

/**
 * Opens a stream through a SOCKS5 proxy by host name. What came behind the reply is in the socket, unread.
 * @throws BackendUnavailableError when the proxy is gone or no SOCKS proxy; TimeoutError; the signal's reason
 */
export function socksConnect({ proxy, host, port, user, onConnected, clock, signal }: SocksDial): Promise<SocksResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const socket = connect({ ...proxy, noDelay: true, allowHalfOpen: true })
    let bytes: Buffer = Buffer.alloc(0)
    let step: (() => void) | undefined = onMethod
    const settle = (): void => {
      step = undefined
      cancel()
      signal?.removeEventListener('abort', onAbort)
      socket.off('readable', onReadable).off('error', onError).off('close', onClose).off('end', onClose)
    }
    const fail = (reason: unknown): void => {
      if (step === undefined) return
      settle()
      socket.on('error', () => {}).destroy()
      reject(reason)
    }
    const onAbort = (): void => fail(signal?.reason)
    const onError = (cause: Error): void => fail(proxyGone(proxy, cause))
    const onClose = (): void => fail(proxyGone(proxy))
    const late = (): void => fail(new TimeoutError('The SOCKS port does not answer.'))
    let cancel = clock.after(HANDSHAKE_LIMIT_MS, late)

    /** The next value of the handshake; undefined while bytes are missing. */
    function take<T>(parse: (bytes: Uint8Array) => Parsed<T>): T | undefined {
      const parsed = parse(bytes)
      if (parsed === 'more') return undefined
      if (parsed === 'invalid') {
        fail(notSocks(bytes))
        return undefined
      }
      bytes = bytes.subarray(parsed.bytes)
      return parsed.value
    }
    function onMethod(): void {
      const method = take(parseMethod)
      if (method === undefined) return
      if (method !== METHOD_PASSWORD) return fail(notSocks())
      step = onPasswordStatus
      socket.write(credentials(user))
    }
    function onPasswordStatus(): void {
      const status = take(parsePasswordStatus)
      if (status === undefined) return
      if (status !== 0) return fail(notSocks())
      step = onReply
      cancel()
      cancel = clock.after(DIAL_LIMIT_MS, late)
      socket.write(connectRequest(host, port))
    }
    function onReply(): void {
      const code = take(parseReply)
      if (code === undefined) return
      settle()
      if (code !== 0) {
        socket.on('error', () => {}).destroy()
        resolve({ code })
        return
      }
      if (bytes.length > 0) socket.unshift(bytes)
      resolve({ socket })
    }
    // Not 'data': a stream that was flowing and was paused would stay so for whoever gets it.
    function onReadable(): void {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      // Bounded: a reply has at most 262 bytes, and reading stops with it.
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      for (let before; step !== undefined && step !== before;) {
        before = step
        step()
      }
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('readable', onReadable).once('error', onError).once('close', onClose).once('end', onClose)
    socket.once('connect', () => {
      onConnected?.(socket)
      socket.write(greeting())
    })
  })
}

function proxyGone(proxy: SocksTarget, cause?: Error): BackendUnavailableError {
  const where = 'path' in proxy ? proxy.path : `${proxy.host}:${proxy.port}`
  return new BackendUnavailableError(`The SOCKS port ${where} is not there, or closed the connection.`, {
    code: 'BEAM_ERR_CONTROL_PORT',
    retry: 'later',
    hint: 'Check that the daemon runs, and that tor_port is its SOCKS port.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function notSocks(bytes: Uint8Array = new Uint8Array()): ProtocolError {
  const control = Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '514 '
  return new ProtocolError(
    control ? 'What was given as SOCKS port is a control port.' : 'What was given as SOCKS port speaks no SOCKS 5 with user and password.',
    {
      code: 'BEAM_ERR_CONTROL_PORT',
      hint: 'Check tor_port and control_port: they may have been exchanged.',
    },
  )
}
