import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { BackendUnavailableError, resetStream, sensitive, type Clock, type Logger, type StreamHandler } from '../../core/index.ts'
import { admits, type AccessList } from './access.ts'
import { FORWARD_LINE_LIMIT_MS, LATE_END_MS, MAX_FORWARD_LINE_BYTES, MAX_PENDING, MAX_VISITORS } from './constants.ts'
import { headersOf, parseForwardLine } from './forwarded.ts'
import { endLate } from './late-end.ts'
import { readLine } from './sam/read-line.ts'
import type { Traffic } from './traffic.ts'

/** What a relay is made of. */
export interface RelaySetup {
  readonly access: AccessList
  readonly handler: StreamHandler
  readonly traffic: Traffic
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Where the router delivers the streams of visitors: a port of the loopback interface. It reads who comes, keeps out whom the publisher does
 * not want, and hands over the rest. Other programs of this machine can connect to it too and claim to be anybody, so access lists hold
 * where all users of the machine are trusted.
 */
export class Relay {
  readonly #setup: RelaySetup
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #expected = new Map<string, string>()
  #pending = 0
  #refused = 0

  constructor(setup: RelaySetup) {
    this.#setup = setup
    // allowHalfOpen: the router's end of a direction is passed on, not answered.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.#take(socket))
  }

  get visitors(): number {
    return this.#sockets.size - this.#pending
  }

  /** Visitors who were kept out so far. */
  get refused(): number {
    return this.#refused
  }

  /** @returns the port */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', () => resolve(this.#server.off('error', reject) && undefined))
    })
    return (this.#server.address() as AddressInfo).port
  }

  /** A visitor that is this Beam itself, to see whether it gets through: it is given the word and nothing else. */
  expect(b32: string, word: string): () => void {
    this.#expected.set(b32, word)
    return () => this.#expected.delete(b32)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) resetStream(socket, new Error('the tunnel was stopped'))
    await closed
  }

  async #take(socket: Socket): Promise<void> {
    const { clock, logger, traffic, access, handler } = this.#setup
    socket.on('error', () => {})
    if (this.#pending >= MAX_PENDING || this.visitors >= MAX_VISITORS) {
      resetStream(socket, new BackendUnavailableError('Too many visitors at once.'))
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    this.#pending++
    try {
      const line = await readLine(socket, { maxBytes: MAX_FORWARD_LINE_BYTES, limitMs: FORWARD_LINE_LIMIT_MS, clock })
      const peer = parseForwardLine(line)
      const word = this.#expected.get(peer.b32)
      if (word !== undefined) {
        socket.resume().end(`${word}\n`)
        return
      }
      if (!admits(access, peer.b32)) {
        this.#refused++
        logger.debug('visitor refused', { visitor: sensitive(peer.b32) })
        resetStream(socket, new Error('not on the access list'))
        return
      }
      traffic.count(socket, line.length + 1)
      endLate(socket, LATE_END_MS, clock)
      handler(socket, { backend: 'i2p', key: peer.b32, httpHeaders: headersOf(peer) })
    } catch (error) {
      logger.debug('no visitor of the router', { reason: (error as Error).message })
      resetStream(socket, error as Error)
    } finally {
      this.#pending--
    }
  }
}
