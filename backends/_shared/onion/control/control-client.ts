import { connect, type Socket } from 'node:net'
import { BackendUnavailableError, InternalError, ProtocolError, TimeoutError, type Clock } from '../../../../core/index.ts'
import { controlReplyError } from './control-error.ts'
import { isEvent, MessageParser, type Message } from './reply.ts'

/** Where a control port is. */
export type ControlTarget = { readonly host: string; readonly port: number } | { readonly path: string }

/** A daemon on this machine accepts at once; ten seconds cover one that is swapped out. */
const CONNECT_LIMIT_MS = 10_000
/** Every command is answered from memory. A daemon that takes longer is stuck. */
const COMMAND_LIMIT_MS = 15_000
/** Commands that wait for their replies at once: a few per tunnel. More means that nothing comes back. */
const MAX_WAITING = 512
/** Longest command line: a service with a hundred authorised clients has 7 KiB; the daemon itself takes no more than 64 KiB or so. */
const MAX_COMMAND_BYTES = 60 * 1024

interface Waiting {
  readonly verb: string
  readonly resolve: (reply: Message) => void
  readonly reject: (error: Error) => void
  readonly cancelTimer: () => void
}

/** How a control connection is opened. */
export interface ControlOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/**
 * One control connection: commands are answered in the order in which they were sent, events come between. A peer that breaks the
 * protocol, or does not answer in time, is disconnected. Nothing that goes over the wire is logged: keys and passwords are in it.
 */
export class ControlClient {
  /** Resolves, once the connection is gone, with the reason. */
  readonly closed: Promise<Error>
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #parser = new MessageParser()
  readonly #waiting: Waiting[] = []
  readonly #listeners = new Set<(event: Message) => void>()
  #failure: Error | undefined
  #onClosed: (reason: Error) => void = () => {}

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.closed = new Promise((resolve) => (this.#onClosed = resolve))
    socket.on('data', (chunk: Buffer) => this.#feed(chunk))
    socket.on('error', (cause) => this.#fail(lost(cause)))
    socket.on('close', () => this.#fail(lost()))
  }

  /**
   * Connects; authentication is the caller's next step.
   * @throws BackendUnavailableError, TimeoutError, the signal's reason
   */
  static connect(target: ControlTarget, { clock, signal }: ControlOptions): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const socket = connect({ ...target, noDelay: true })
      const settle = (): void => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        socket.off('error', onError)
      }
      const fail = (reason: unknown): void => {
        settle()
        socket.on('error', () => {}).destroy()
        reject(reason)
      }
      const onAbort = (): void => fail(signal?.reason)
      const onError = (error: NodeJS.ErrnoException): void => fail(connectError(target, error))
      const cancel = clock.after(CONNECT_LIMIT_MS, () => fail(new TimeoutError(`${describeTarget(target)} does not answer.`)))
      signal?.addEventListener('abort', onAbort, { once: true })
      socket.once('error', onError)
      socket.once('connect', () => {
        settle()
        resolve(new ControlClient(socket, clock))
      })
    })
  }

  /** Hears every event until the returned function is called. */
  onEvent(listener: (event: Message) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Sends one command and waits for its reply.
   * @throws ControlReplyError when the daemon refuses; BackendUnavailableError when the connection is gone; TimeoutError, ProtocolError
   */
  command(line: string): Promise<Message> {
    const verb = /^[A-Z_]{1,32}/.exec(line)?.[0] ?? ''
    return new Promise((resolve, reject) => {
      if (/[\r\n\0]/.test(line) || verb === '') throw new InternalError('A command for the control port is malformed.')
      if (this.#failure !== undefined) throw this.#failure
      if (line.length > MAX_COMMAND_BYTES) throw new BackendUnavailableError(`${verb} is longer than the daemon takes.`, { retry: 'never' })
      if (this.#waiting.length >= MAX_WAITING) throw new BackendUnavailableError('The daemon is behind with its answers.')
      const limit = (): void =>
        this.#fail(
          new TimeoutError(`The daemon did not answer ${verb} within ${COMMAND_LIMIT_MS / 1000} s.`, { code: 'BEAM_ERR_CONTROL_PORT' }),
        )
      const cancelTimer = this.#clock.after(COMMAND_LIMIT_MS, limit, { unref: true })
      this.#waiting.push({ verb, resolve, reject, cancelTimer })
      this.#socket.write(`${line}\r\n`, 'latin1')
    })
  }

  /** The value of one `GETINFO` key, its data block when it has one. */
  async getInfo(key: string): Promise<string> {
    const { lines } = await this.command(`GETINFO ${key}`)
    const line = lines.find(({ text }) => text.startsWith(`${key}=`))
    if (line === undefined) throw new ProtocolError('The daemon answered another question.', { code: 'BEAM_ERR_CONTROL_PORT' })
    return line.data ?? line.text.slice(key.length + 1)
  }

  /** Closes the connection. Services that belong to it end, and so does a daemon that it owns. */
  close(): void {
    this.#fail(new BackendUnavailableError('The control connection was closed.'))
  }

  #feed(chunk: Buffer): void {
    if (this.#failure !== undefined) return
    let messages: Message[]
    try {
      messages = this.#parser.push(chunk)
    } catch (error) {
      this.#fail(error as Error)
      return
    }
    for (const message of messages) {
      if (isEvent(message)) for (const listener of this.#listeners) listener(message)
      else this.#answer(message)
    }
  }

  #answer(reply: Message): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) {
      this.#fail(new ProtocolError('The control port answers what nobody asked.', { code: 'BEAM_ERR_CONTROL_PORT' }))
      return
    }
    waiting.cancelTimer()
    if (reply.code >= 200 && reply.code < 300) waiting.resolve(reply)
    else waiting.reject(controlReplyError(waiting.verb, reply.code, reply.lines[0].text))
  }

  #fail(reason: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    this.#socket.destroy()
    for (const { reject, cancelTimer } of this.#waiting.splice(0)) {
      cancelTimer()
      reject(reason)
    }
    this.#listeners.clear()
    this.#onClosed(reason)
  }
}

/** A control port for people. */
export function describeTarget(target: ControlTarget): string {
  return 'path' in target ? `The control socket ${target.path}` : `The control port ${target.host}:${target.port}`
}

function lost(cause?: Error): BackendUnavailableError {
  return new BackendUnavailableError('The connection to the daemon was lost.', {
    code: 'BEAM_ERR_CONTROL_PORT',
    retry: 'now',
    ...(cause === undefined ? {} : { cause }),
  })
}

function connectError(target: ControlTarget, cause: NodeJS.ErrnoException): BackendUnavailableError {
  const what = describeTarget(target)
  switch (cause.code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new BackendUnavailableError(`${what} is not there: nothing listens.`, {
        code: 'BEAM_ERR_CONTROL_PORT',
        hint: 'Start that daemon with a ControlPort or ControlSocket line in its configuration, or leave the control settings out: Beam then runs a daemon of its own.',
        cause,
      })
    case 'EACCES':
      return new BackendUnavailableError(`${what} may not be used by this user.`, {
        code: 'BEAM_ERR_CONTROL_PORT',
        hint: 'Add this user to the group of the socket (on Debian: debian-tor), or use control_port with a password.',
        cause,
      })
    default:
      return new BackendUnavailableError(`${what} cannot be reached: ${cause.code ?? cause.message}.`, {
        code: 'BEAM_ERR_CONTROL_PORT',
        cause,
      })
  }
}
