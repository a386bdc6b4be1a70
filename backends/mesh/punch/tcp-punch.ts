/**
 * TCP simultaneous open (RFC 9293 section 3.5, figure 8): two machines behind address translators that keep one mapping for all destinations
 * connect to each other's mapping at the same time. Works in plain Node as long as nothing listens on the local port.
 */
import { connect, type Socket } from 'node:net'
import { UnreachableError } from '../../../core/index.ts'

/** Both ends begin anew this often, so that their first packets cross. */
const ATTEMPT_MS = 700
/** After a refusal: a translator may answer a packet that it did not expect with a reset, until its own side has sent one. */
const RETRY_MS = 50
/** Between two translators that allow it at all it takes milliseconds; six seconds are eight attempts. */
const GIVE_UP_MS = 6_000

/** From where and to where. */
export interface PunchOptions {
  readonly localPort: number
  /** The far end's mapping, as a third party saw it. */
  readonly host: string
  readonly port: number
  readonly signal?: AbortSignal
}

/** A connection to the far end's mapping. @throws UnreachableError when none came about; the signal's reason */
export async function punchTcp(options: PunchOptions): Promise<Socket> {
  const deadline = performance.now() + GIVE_UP_MS
  while (performance.now() < deadline) {
    options.signal?.throwIfAborted()
    const began = performance.now()
    const socket = await attempt(options, Math.min(ATTEMPT_MS, deadline - began))
    if (socket !== undefined) return socket
    const rest = Math.max(RETRY_MS, performance.now() - began < RETRY_MS ? RETRY_MS : 0)
    await new Promise((resolve) => setTimeout(resolve, rest))
  }
  throw new UnreachableError('The two address translators let no direct connection through.', { retry: 'later' })
}

/** One attempt: the connection, or undefined when it failed or took too long. */
function attempt({ localPort, host, port, signal }: PunchOptions, ms: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localPort, noDelay: true, keepAlive: true, allowHalfOpen: true })
    const settle = (result: Socket | undefined): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.removeAllListeners('connect')
      if (result === undefined) socket.destroy()
      resolve(result)
    }
    const onAbort = (): void => settle(undefined)
    const timer = setTimeout(() => settle(undefined), ms)
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('error', () => settle(undefined))
    socket.once('connect', () => settle(socket))
  })
}
