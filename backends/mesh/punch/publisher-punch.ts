import type { Socket } from 'node:net'
import { isReachableHost, ProtocolError, UnreachableError, type Asked, type Clock, type Logger } from '../../../core/index.ts'
import { decodePlace, encodePlace, observe } from './observe.ts'
import { punchTcp } from './tcp-punch.ts'

/** The small request by which a visitor asks for a direct connection. */
export const PUNCH_TOPIC = 'link/punch'

/** Attempts at a time, and how often one visitor may ask: each costs a socket and some packets. */
const MAX_ATTEMPTS = 8
const AGAIN_MS = 5_000
/** Visitors whose last request is remembered. */
const MAX_VISITORS = 1024
/** Seeing oneself and punching, altogether. */
const LIMIT_MS = 15_000

/** What the publisher's half needs. */
export interface PublisherPunchOptions {
  /** Where a relay is that answers for this node; undefined for any other node, which is then not dialled. */
  readonly relayAt: (nodeKeyText: string) => { readonly key: Uint8Array; readonly host: string; readonly port: number } | undefined
  /** Takes a connection that came about. */
  readonly accept: (socket: Socket) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** The publisher's half of direct connections through two address translators. */
export class PublisherPunch implements Disposable {
  readonly #options: PublisherPunchOptions
  readonly #askedAt = new Map<string, number>()
  readonly #ending = new AbortController()
  #attempts = 0

  constructor(options: PublisherPunchOptions) {
    this.#options = options
  }

  /**
   * Answers a visitor with where this end is seen, and begins to connect to where the visitor is.
   * @throws UnreachableError, ProtocolError
   */
  async answer({ body, peerKey }: Asked): Promise<Uint8Array> {
    const { relayAt, logger } = this.#options
    const match = /^([a-z2-7]{56}) (.+)$/.exec(body.subarray(0, 200).toString('latin1'))
    const relay = relayAt(match?.[1] ?? '')
    if (relay === undefined) throw new UnreachableError('This node is not reached through that relay.', { code: 'BEAM_ERR_NOT_FOUND' })
    const theirs = decodePlace(Buffer.from(match?.[2] ?? ''))
    if (!isReachableHost(theirs.host)) throw new ProtocolError('Nobody is at that address.')
    this.#count(peerKey.toString('hex'))
    this.#attempts++
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(LIMIT_MS)])
    try {
      const mine = await observe(relay, { logger, signal })
      void this.#connect(mine, theirs, signal)
      return encodePlace(mine)
    } catch (error) {
      this.#attempts--
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort(new Error('the tunnel was stopped'))
  }

  async #connect(mine: Awaited<ReturnType<typeof observe>>, theirs: { host: string; port: number }, signal: AbortSignal): Promise<void> {
    try {
      this.#options.accept(await punchTcp({ localPort: mine.localPort, ...theirs, signal }))
    } catch (error) {
      this.#options.logger.debug('no direct connection', { reason: (error as Error).message })
    } finally {
      mine[Symbol.dispose]()
      this.#attempts--
    }
  }

  #count(visitor: string): void {
    const now = this.#options.clock.monotonic()
    const busy = this.#attempts >= MAX_ATTEMPTS || now - (this.#askedAt.get(visitor) ?? -Infinity) < AGAIN_MS
    if (busy) throw new UnreachableError('Too many attempts at a direct connection.', { code: 'BEAM_ERR_RATE_LIMITED' })
    this.#askedAt.set(visitor, now)
    for (const oldest of this.#askedAt.keys()) {
      if (this.#askedAt.size <= MAX_VISITORS) break
      this.#askedAt.delete(oldest)
    }
  }
}
