import { connect, type Socket } from 'node:net'
import { BackendUnavailableError, ProtocolError, type Clock } from '../../../core/index.ts'
import { CONTROL_LIMIT_MS, MAX_BIRD_BYTES } from '../constants.ts'
import { birdError, BirdReplies, type BirdReply } from './reply.ts'
import { readVersion } from './tables.ts'

/** How a control socket is used. */
export interface BirdClientOptions {
  readonly clock: Clock
  /** Asks BIRD to refuse changes on this connection. */
  readonly readOnly?: boolean
}

interface Waiting {
  resolve(reply: BirdReply): void
  reject(error: Error): void
}

/** One connection to BIRD's control socket: commands are answered in order. It is made anew by whoever uses it after it was lost. */
export class BirdClient implements Disposable {
  readonly version: string
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  readonly #replies = new BirdReplies()
  readonly #clock: Clock
  #unread = 0
  #failure: Error | undefined

  private constructor(socket: Socket, clock: Clock, version: string) {
    this.#socket = socket
    this.#clock = clock
    this.version = version
  }

  /** @throws BackendUnavailableError (not there, not readable, silent), ProtocolError (something else answers) */
  static async connect(path: string, { clock, readOnly = false }: BirdClientOptions): Promise<BirdClient> {
    const socket = connect(path)
    const client = new BirdClient(socket, clock, '')
    client.#listen(path)
    try {
      const greeting = await client.#next(path)
      const version = readVersion(greeting)
      if (version === undefined)
        throw new ProtocolError(`What listens on ${path} does not greet like BIRD.`, { code: 'BEAM_ERR_BACKEND_UNAVAILABLE' })
      Object.assign(client, { version })
      if (readOnly) await client.ask('restrict')
      return client
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  get closed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * Sends a command and waits for its reply, which may be an error of BIRD.
   * @throws BackendUnavailableError when the connection is lost or BIRD does not answer
   */
  async ask(command: string): Promise<BirdReply> {
    if (/[\n\r\0]/.test(command)) throw new ProtocolError('A command to BIRD has one line.')
    if (this.#failure !== undefined) throw this.#failure
    this.#socket.write(`${command}\n`)
    return this.#next(command)
  }

  /** As `ask`, for commands that must succeed. @throws BackendUnavailableError with BIRD's words */
  async run(command: string): Promise<BirdReply> {
    const reply = await this.ask(command)
    const error = birdError(reply)
    if (error !== undefined) throw new BackendUnavailableError(`BIRD refused “${command}”: ${error}.`)
    return reply
  }

  [Symbol.dispose](): void {
    this.#fail(new BackendUnavailableError('The connection to BIRD was closed.'))
  }

  #next(what: string): Promise<BirdReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      const cancel = this.#clock.after(CONTROL_LIMIT_MS, () =>
        this.#fail(new BackendUnavailableError(`BIRD does not answer its control socket (${what}).`)),
      )
      this.#waiting.push({
        resolve: (reply) => {
          cancel()
          resolve(reply)
        },
        reject: (error) => {
          cancel()
          reject(error)
        },
      })
    })
  }

  #listen(path: string): void {
    this.#socket.setEncoding('utf8')
    this.#socket.on('data', (text: string) => {
      this.#unread += text.length
      if (this.#unread > MAX_BIRD_BYTES) return this.#fail(new ProtocolError(`BIRD's answer is longer than ${MAX_BIRD_BYTES} bytes.`))
      try {
        for (const reply of this.#replies.push(text)) {
          this.#unread = 0
          this.#waiting.shift()?.resolve(reply)
        }
      } catch (error) {
        this.#fail(error as Error)
      }
    })
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(unusable(path, error)))
    this.#socket.on('close', () => this.#fail(new BackendUnavailableError('BIRD closed its control socket.')))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#socket.destroy()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }
}

function unusable(path: string, error: NodeJS.ErrnoException): BackendUnavailableError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new BackendUnavailableError(`BIRD's control socket ${path} is not open to you.`, {
      hint: 'Join its group, and log in again: sudo usermod --append --groups bird "$USER"',
      cause: error,
    })
  }
  const gone =
    error.code === 'ENOENT' ? 'is not there' : error.code === 'ECONNREFUSED' ? 'has nobody behind it' : (error.code ?? error.message)
  return new BackendUnavailableError(`BIRD's control socket ${path} ${gone}.`, {
    hint: 'Start BIRD (sudo systemctl start bird), or say where its socket is: birdSocket in the configuration of anonet.',
    cause: error,
  })
}
