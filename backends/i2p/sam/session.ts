import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../core/index.ts'
import { BackendUnavailableError, isBeamError } from '../../../core/index.ts'
import { STALE_STATUS_MS } from '../constants.ts'
import { sessionCreate } from './commands.ts'
import { readReply, SamConnection, type SamEndpoint } from './connection.ts'
import { keyRefused, refusalOf } from './refusal.ts'
import { valueOf, type SamReply } from './reply.ts'

/** What a session is made of. */
export interface SessionSetup {
  readonly at: SamEndpoint
  /** The private key in base64; absent for one of the moment. */
  readonly key?: string | undefined
  readonly options: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/**
 * A session of SAM: a destination in the router, which lives as long as one connection. That connection carries `SESSION CREATE` and
 * answers to `PING`, and nothing else: i2pd ends the session for a word that it does not know.
 */
export class SamSession {
  /** Of the attempt: routers refuse an id that is in use, and an old one may linger. */
  readonly id = `beam-${randomBytes(8).toString('hex')}`
  /** Resolves when the router has tunnels for it; rejects when it refuses the session or loses it before. */
  readonly ready: Promise<void>
  /** Resolves with the reason when the session is gone. */
  readonly closed: Promise<Error>
  readonly createdAt: number
  #readyAt: number | undefined
  #reason: Error | undefined
  #settleReady: { resolve(): void; reject(reason: Error): void } = { resolve() {}, reject() {} }
  #settleClosed: (reason: Error) => void = () => {}
  readonly #connection: SamConnection
  readonly #clock: Clock

  private constructor(connection: SamConnection, { key, options, clock }: SessionSetup) {
    this.#connection = connection
    this.#clock = clock
    this.createdAt = clock.monotonic()
    this.closed = new Promise((resolve) => (this.#settleClosed = resolve))
    this.ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }))
    this.ready.catch(() => {})
    connection.socket.write(`${sessionCreate(this.id, key, options)}\n`)
    void this.#listen()
  }

  /**
   * Asks the router for a session. Resolves as soon as it was asked: i2pd says after 20 or 40 s that it is ready, though visitors
   * get through much earlier.
   */
  static async open(setup: SessionSetup): Promise<SamSession> {
    const { at, clock, signal } = setup
    return new SamSession(await SamConnection.open(at, { clock, signal }), setup)
  }

  get alive(): boolean {
    return this.#reason === undefined
  }

  /** Whether the router has said that it is ready. */
  get isReady(): boolean {
    return this.#readyAt !== undefined
  }

  /** Whether the answer came too early for a destination that had to be built: it belongs to one that the router is about to end. */
  get stale(): boolean {
    return this.#readyAt !== undefined && this.#readyAt - this.createdAt < STALE_STATUS_MS
  }

  close(reason: Error = new BackendUnavailableError('The session was closed.')): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#connection.close()
    this.#settleReady.reject(reason)
    this.#settleClosed(reason)
  }

  async #listen(): Promise<void> {
    const { socket } = this.#connection
    try {
      while (this.alive) this.#heard(await readReply(socket, { clock: this.#clock }))
    } catch (error) {
      this.close(lost(error))
    }
  }

  #heard(reply: SamReply): void {
    // The Java router asks whether its client is still there, and ends the session of one that does not answer.
    if (reply.topic === 'PING') this.#connection.socket.write(`PONG${reply.rest === '' ? '' : ` ${reply.rest}`}\n`)
    if (reply.topic !== 'SESSION' || reply.type !== 'STATUS') return
    const result = valueOf(reply, 'RESULT')
    if (result === 'INVALID_KEY') throw keyRefused(refusalOf(reply))
    if (result !== 'OK') throw refusalOf(reply)
    this.#readyAt ??= this.#clock.monotonic()
    this.#settleReady.resolve()
  }
}

/** Why a session ended, for people. */
function lost(error: unknown): Error {
  if (isBeamError(error) && error.kind === 'config') return error
  if (isBeamError(error) && error.code === 'BEAM_ERR_NAME_IN_USE') return error
  if (isBeamError(error) && error.kind === 'protocol')
    return new BackendUnavailableError('The I2P router broke the rules of SAM.', { cause: error })
  if (isBeamError(error) && !error.message.startsWith('The connection was closed')) return error
  return new BackendUnavailableError('The I2P router ended the session: it was stopped or restarted.', { cause: error })
}
