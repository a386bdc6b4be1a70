import { connect, type Socket } from 'node:net'
import { BackendUnavailableError, isBeamError, systemClock, type Clock } from '../../../core/index.ts'
import { HELLO_LIMIT_MS, MAX_LINE_BYTES } from '../constants.ts'
import { HELLO } from './commands.ts'
import { readLine } from './read-line.ts'
import { refusalOf } from './refusal.ts'
import { parseReply, valueOf, type SamReply } from './reply.ts'

/** Where a router offers SAM. */
export interface SamEndpoint {
  readonly host: string
  readonly port: number
}

/** How a connection is made and asked. */
export interface SamOptions {
  readonly clock?: Clock
  readonly signal?: AbortSignal | undefined
  readonly limitMs?: number
}

/** One connection to a router, greeted. It carries one command and what follows from it: a session, a lookup, or a stream. */
export class SamConnection {
  readonly socket: Socket
  /** The version that both agreed on. */
  readonly version: string
  readonly #clock: Clock

  private constructor(socket: Socket, version: string, clock: Clock) {
    this.socket = socket
    this.version = version
    this.#clock = clock
  }

  /**
   * Connects and greets.
   * @throws BackendUnavailableError saying what is wrong with the port, or the signal's reason
   */
  static async open(at: SamEndpoint, { clock = systemClock, signal, limitMs = HELLO_LIMIT_MS }: SamOptions = {}): Promise<SamConnection> {
    signal?.throwIfAborted()
    const socket = connect({ ...at, noDelay: true, allowHalfOpen: true, keepAlive: true })
    // Without a listener an error would end the process; whoever waits hears of it by its own.
    socket.on('error', () => {})
    try {
      await connected(socket, { clock, signal, limitMs })
      socket.write(`${HELLO}\n`)
      const reply = await readReply(socket, { clock, signal, limitMs })
      if (reply.topic !== 'HELLO' || reply.type !== 'REPLY')
        throw new BackendUnavailableError('It answered something else than a greeting.')
      if (valueOf(reply, 'RESULT') !== 'OK') throw refusalOf(reply)
      return new SamConnection(socket, valueOf(reply, 'VERSION'), clock)
    } catch (error) {
      socket.destroy()
      signal?.throwIfAborted()
      throw unusable(at, error)
    }
  }

  /** Sends a line and waits for the answer. @throws BackendUnavailableError, or the signal's reason; the connection is closed then. */
  async command(line: string, { signal, limitMs }: Pick<SamOptions, 'signal' | 'limitMs'> = {}): Promise<SamReply> {
    try {
      this.socket.write(`${line}\n`)
      return await readReply(this.socket, { clock: this.#clock, signal, ...(limitMs === undefined ? {} : { limitMs }) })
    } catch (error) {
      this.close()
      signal?.throwIfAborted()
      throw silent(error)
    }
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Reads one reply. */
export async function readReply(
  socket: Socket,
  options: { readonly clock: Clock; readonly signal?: AbortSignal | undefined; readonly limitMs?: number },
): Promise<SamReply> {
  return parseReply(await readLine(socket, { maxBytes: MAX_LINE_BYTES, ...options }))
}

function connected(socket: Socket, { clock, signal, limitMs }: Required<Omit<SamOptions, 'signal'>> & SamOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => settle(() => reject(new BackendUnavailableError('The connection is not answered.'))))
    const onAbort = (): void => settle(() => reject(signal?.reason))
    const onError = (error: Error): void => settle(() => reject(error))
    const onConnect = (): void => settle(resolve)
    function settle(then: () => void): void {
      cancel()
      signal?.removeEventListener('abort', onAbort)
      socket.off('error', onError).off('connect', onConnect)
      then()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError).once('connect', onConnect)
  })
}

/** Why nothing can be had at a SAM port. */
function unusable({ host, port }: SamEndpoint, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const place = `${host}:${port}`
  if (isBeamError(error) && error.hint !== undefined) return error
  if (code === 'ECONNREFUSED') {
    return new BackendUnavailableError(`No I2P router offers SAM on ${place}.`, {
      hint: 'Start the router and switch SAM on: in i2pd.conf “[sam] enabled = true”; in the Java router the SAM client under /configclients.',
      cause: error,
    })
  }
  const why = isBeamError(error) && error.kind !== 'protocol' ? error.message : isBeamError(error) ? 'it speaks something else' : code
  return new BackendUnavailableError(`What listens on ${place} is no SAM port of an I2P router: ${why}`, {
    hint: 'Check backends.i2p.config: sam_port is the port of SAM (7656 by default), not of the proxy or the console.',
    cause: error,
  })
}

/** A router that does not answer or answers garbage is our side's trouble. */
function silent(error: unknown): Error {
  const why = isBeamError(error) ? error.message : ((error as NodeJS.ErrnoException).code ?? String(error))
  return new BackendUnavailableError(`The I2P router did not answer as it should: ${why}`, { cause: error })
}
