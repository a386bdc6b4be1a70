import type { Duplex } from 'node:stream'
import { isBeamError, sleep, UnreachableError, type Clock, type DialOptions, type Logger } from '../../core/index.ts'
import { parseAddress, type I2pAddress } from './address.ts'
import { Answers } from './answers.ts'
import type { AddressBook } from './book.ts'
import { ASKED_MS, CONNECT_LIMIT_MS, DIAL_PATIENCE_MS, MAX_AHEAD_BYTES, MAX_AHEAD_STREAM_BYTES, NO_TUNNELS_WAIT_MS } from './constants.ts'
import { DialSessions, type SessionKind } from './dial-sessions.ts'
import { I2pStream, type ReadAhead, type StreamLimits } from './i2p-stream.ts'
import type { I2pKeyStore } from './key-store.ts'
import { generateKeys } from './keys.ts'
import { dialChoices } from './options.ts'
import { namingLookup } from './sam/commands.ts'
import { SamConnection, type SamEndpoint } from './sam/connection.ts'
import { openStream } from './sam/open-stream.ts'
import { refusalOf } from './sam/refusal.ts'
import { valueOf } from './sam/reply.ts'
import type { SamSession } from './sam/session.ts'
import { noTunnels } from './sentences.ts'
import type { TunnelShape } from './session-options.ts'

/** What dialling needs. */
export interface DiallerSetup {
  readonly sam: (signal: AbortSignal) => Promise<SamEndpoint>
  readonly shape: TunnelShape
  readonly limits: StreamLimits
  readonly keys: I2pKeyStore
  readonly book: AddressBook
  readonly clock: Clock
  readonly logger: Logger
}

/** The visitor's side. */
export class I2pDialler {
  readonly #setup: DiallerSetup
  readonly #sessions: DialSessions
  readonly #streams = new Set<Duplex>()
  readonly #answers: Answers
  readonly #ended = new AbortController()
  readonly #ahead: ReadAhead = {
    streamBytes: MAX_AHEAD_STREAM_BYTES,
    hasRoom: () => [...this.#streams].reduce((sum, { readableLength }) => sum + readableLength, 0) < MAX_AHEAD_BYTES,
  }

  constructor(setup: DiallerSetup) {
    this.#setup = setup
    this.#sessions = new DialSessions(setup)
    this.#answers = new Answers(setup.clock)
  }

  get sessions(): number {
    return this.#sessions.size
  }

  get streams(): number {
    return this.#streams.size
  }

  /**
   * A stream to a destination.
   *
   * @param patienceMs - how long tunnels of this end may take that are only being built
   * @throws UnreachableError, BackendUnavailableError, or the signal's reason
   */
  async dial(text: string, options: DialOptions, patienceMs = DIAL_PATIENCE_MS): Promise<Duplex> {
    const { clock, limits } = this.#setup
    const given = options.signal
    given?.throwIfAborted()
    const address = parseAddress(text)
    const signal = given === undefined ? this.#ended.signal : AbortSignal.any([given, this.#ended.signal])
    const standing = options.confirm === true ? this.#answers.standing(address.host) : 'fine'
    if (standing === 'silent') {
      throw new UnreachableError('Nothing came back on the last streams to this destination: the publisher may have left.', {
        code: 'BEAM_ERR_PEER_UNREACHABLE',
      })
    }
    const kind = await this.#kindOf(address, options, signal)
    if (standing === 'trial') await this.#forget(kind, signal)
    const { session, release, retire } = await this.#sessions.borrow(kind, signal)
    try {
      const destination = await this.#destinationOf(address, signal)
      const socket = await this.#connect(session, destination, signal, patienceMs)
      const stream = new I2pStream(socket, limits, this.#ahead, clock, this.#answers.watch(address.host))
      this.#streams.add(stream)
      stream.once('close', () => {
        this.#streams.delete(stream)
        if (stream.unanswered) retire()
        release()
      })
      return stream
    } catch (error) {
      release()
      throw error
    }
  }

  close(): void {
    this.#ended.abort(new UnreachableError('The I2P backend was stopped.', { code: 'BEAM_ERR_BACKEND_UNAVAILABLE' }))
    for (const stream of this.#streams) stream.on('error', () => {}).destroy(new Error('the I2P backend was stopped'))
    this.#sessions.close()
  }

  /** Streams from now on look the lease set up anew: the session knows one that leads nowhere. */
  async #forget(kind: SessionKind, signal: AbortSignal): Promise<void> {
    const { retire, release } = await this.#sessions.borrow(kind, signal)
    retire()
    release()
  }

  async #kindOf(address: I2pAddress, { network, isolation }: DialOptions, signal: AbortSignal): Promise<SessionKind> {
    const { keys, sam, clock } = this.#setup
    const { clientKey, as } = dialChoices(network)
    if (address.needsKey && clientKey === undefined) {
      throw new UnreachableError('This service is for visitors with a key of their own.', {
        code: 'BEAM_ERR_ACCESS_DENIED',
        hint: 'Ask the publisher for one, and give it with --i2p-client-key.',
        retry: 'never',
      })
    }
    const own =
      as === undefined ? undefined : await keys.readOrMake('visitor', as, async () => generateKeys(await sam(signal), { clock, signal }))
    return { isolation, clientKey, key: own?.secret }
  }

  /** What STREAM CONNECT takes. Names are looked up in the own address book, then in the router's. */
  async #destinationOf({ kind, host }: I2pAddress, signal: AbortSignal): Promise<string> {
    if (kind !== 'name') return host
    const { book, sam, clock } = this.#setup
    const own = await book.find(host)
    if (own !== undefined) return own
    const connection = await SamConnection.open(await sam(signal), { clock, signal })
    try {
      const reply = await connection.command(namingLookup(host), { limitMs: CONNECT_LIMIT_MS, signal })
      const value = valueOf(reply, 'VALUE')
      if (valueOf(reply, 'RESULT') === 'OK' && value !== '') return value
      // i2pd says INVALID_KEY where the specification has KEY_NOT_FOUND.
      throw new UnreachableError(`The address book of the I2P router does not know ${host}.`, {
        code: 'BEAM_ERR_NOT_FOUND',
        hint: 'Use the ….b32.i2p address, or add the name to the router’s address book.',
        cause: refusalOf(reply),
      })
    } finally {
      connection.close()
    }
  }

  /** A session that was just made has no tunnels yet, and the router says at once that it reaches nobody: that is asked again. */
  async #connect(session: SamSession, destination: string, signal: AbortSignal, patienceMs: number): ReturnType<typeof openStream> {
    const { clock, sam } = this.#setup
    const deadline = clock.monotonic() + patienceMs
    for (;;) {
      const startedAt = clock.monotonic()
      try {
        return await openStream(await sam(signal), session.id, destination, { clock, signal })
      } catch (error) {
        signal.throwIfAborted()
        if (!session.alive) throw await session.closed
        if (!worthAnother(error, session, clock.monotonic() - startedAt)) throw error
        if (clock.monotonic() > deadline) throw noTunnels(error)
        await sleep(isUnknownSession(error) ? NO_TUNNELS_WAIT_MS / 10 : NO_TUNNELS_WAIT_MS, { clock, signal })
      }
    }
  }
}

function worthAnother(error: unknown, session: SamSession, tookMs: number): boolean {
  if (isUnknownSession(error)) return true
  // Quick, and before the router called the session ready: it had no tunnels to ask through. Later, or slow, it is an answer.
  return isBeamError(error) && error.code === 'BEAM_ERR_NOT_FOUND' && tookMs < ASKED_MS && !session.isReady
}

/** The router takes some milliseconds to know a session that it was asked for. */
function isUnknownSession(error: unknown): boolean {
  return isBeamError(error) && (error.cause as Error | undefined)?.message.startsWith('INVALID_ID') === true
}
