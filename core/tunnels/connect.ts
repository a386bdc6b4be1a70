import { setMaxListeners } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { DialOptions, Path } from '../powers.ts'
import { backoffDelayMs } from '../backoff.ts'
import { systemClock, type Clock } from '../clock.ts'
import { BackendUnavailableError, ConfigError, isBeamError } from '../errors.ts'
import { silentLogger, type Logger } from '../logger.ts'
import { sensitive } from '../sensitive.ts'
import { join, resetStream } from '../streams/index.ts'
import type { ConnectEvent, PathReport } from './events.ts'
import type { DiallerHandle } from './resolve-target.ts'
import { Gate } from './gate.ts'
import { isLoopback, listen } from './listen.ts'
import { permittedWays } from './permitted-ways.ts'
import type { Strategy } from './strategy.ts'
import { isOfTheStream, type Way, type WayTarget } from './way.ts'
import { Ways } from './ways.ts'

/** Local connections at once: two descriptors each, and at 25 KiB apiece about 100 MiB. More are refused as they come. */
const MAX_CONNECTIONS = 4_096
/** Dials at once: a burst beyond it waits, so that a network whose streams are slow to open is not flooded. */
const MAX_DIALS = 256
/** Waits between attempts to reach a service that went away. */
const RETRY = { baseMs: 500, maxMs: 30_000 }
/** The same warning once in this time: a full table of descriptors would print thousands. */
const WARN_EVERY_MS = 10_000
/** Different warnings in that time. */
const MAX_WARNINGS = 16

/** What is to become a local port. */
export interface ConnectSetup {
  /** What the user typed. */
  readonly address: string
  /** What is dialled, when it is another text (a name was looked up). */
  readonly dialled?: string
  readonly handle: DiallerHandle
  /** Local address to listen on. Default: 127.0.0.1. */
  readonly host?: string
  /** Local port; 0 or absent = any free one. */
  readonly port?: number
  /** How to dial, apart from the signal. */
  readonly dial?: Omit<DialOptions, 'signal'>
  /** Further ways to the same service; `handle` is the one that the user named first. */
  readonly others?: readonly WayTarget[]
  /** How several ways are used. Default: `fallback`. */
  readonly strategy?: Strategy
  /** How many new connections `handle` gets beside `others`; default 1. */
  readonly weight?: number
  /** Permits ways that show the IP address beside ways that hide it. */
  readonly allowExposure?: boolean
  /** How many isolation groups connections are spread over (Tor: circuits); 1 to 32. Default: 1. */
  readonly circuits?: number
  readonly onEvent?: (event: ConnectEvent) => void
  /** Ends the attempt to connect; an established connection is not touched by it. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A local port that is the far service. */
export interface LocalPort extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly address: string
  /** The way to the service, as it was last reached. */
  readonly path: Path
  /** All ways to it, the one that new connections take first at the head. */
  readonly paths: readonly PathReport[]
  readonly reveals: readonly string[]
  /** Closes the port and its connections; harmless when repeated. */
  stop(reason?: string): Promise<void>
}

/**
 * Makes a far service a local port: reaches it first, then listens; every accepted connection becomes a stream of its own.
 * With several ways the strategy says how they are used.
 * @throws UnreachableError, BackendUnavailableError (also `BEAM_ERR_PORT_IN_USE`), TimeoutError, ConfigError (also `BEAM_ERR_EXPOSURE`);
 *   the signal's reason.
 */
export async function connectTunnel(setup: ConnectSetup): Promise<LocalPort> {
  const { host = '127.0.0.1', port = 0 } = setup
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new ConfigError(`The port ${port} is not a whole number between 0 and 65535.`, { code: 'BEAM_ERR_PORT_INVALID' })
  }
  const connector = new Connector(setup)
  try {
    await connector.open(host, port)
    return connector
  } catch (error) {
    await connector.close()
    throw error
  }
}

class Connector implements LocalPort {
  host = ''
  port = 0
  path: Path = { backend: '', kind: '', hops: 0 }
  reveals: readonly string[] = []
  readonly address: string
  readonly #setup: ConnectSetup
  readonly #ways: Ways
  readonly #several: boolean
  readonly #notes: readonly string[]
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #ended = new AbortController()
  readonly #gate = new Gate(MAX_DIALS)
  readonly #warnedAt = new Map<string, number>()
  /** Why the service is out of reach. */
  #down: string | undefined
  #stopping: Promise<void> | undefined

  constructor(setup: ConnectSetup) {
    this.#setup = setup
    this.address = setup.address
    this.#clock = setup.clock ?? systemClock
    this.#logger = (setup.logger ?? silentLogger).child({ address: sensitive(setup.address) })
    const { targets, mayMove, notes } = permittedWays(waysOf(setup), {
      strategy: setup.strategy ?? 'fallback',
      allowExposure: setup.allowExposure === true,
    })
    this.#several = targets.length > 1
    this.#notes = notes
    this.#ways = new Ways({
      targets,
      strategy: setup.strategy ?? 'fallback',
      circuits: setup.circuits ?? 1,
      clock: this.#clock,
      signal: this.#ended.signal,
      mayMove,
      events: {
        onPath: (path, reason) => this.#several && this.host !== '' && this.#emit({ event: 'path', path, reason }),
        onMove: (from, to, reason) => this.#onMove(from, to, reason),
        onWarning: (code, message) => this.#emit({ event: 'warning', code, message }),
        onProgress: (backend, progress) => this.#emit({ event: 'progress', backend, ...progress }),
      },
    })
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => void this.#serve(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
    // Every dial under way listens to it.
    setMaxListeners(0, this.#ended.signal)
  }

  async open(host: string, port: number): Promise<void> {
    const { signal } = this.#setup
    for (const message of this.#notes) this.#emit({ event: 'warning', code: 'BEAM_WARN_EXPOSURE', message })
    for (const backend of new Set(this.#ways.reports().map((path) => path.backend))) {
      this.#emit({ event: 'progress', backend, phase: 'reach', message: `Looking for the service through ${backend}.` })
    }
    this.path = await this.#ways.reach(signal)
    this.reveals = this.#ways.reveals
    await listen(this.#server, host, port)
    signal?.throwIfAborted()
    // A failed accept (no descriptor left) costs that connection, not the port.
    this.#server.on('error', (error) => this.#warn('BEAM_WARN_ACCEPT', `A connection could not be accepted: ${error.message}.`))
    this.#server.on('drop', () =>
      this.#warn('BEAM_WARN_CONNECTIONS', `More than ${MAX_CONNECTIONS} connections at once: new ones are refused.`),
    )
    const bound = this.#server.address() as AddressInfo
    this.host = bound.address
    this.port = bound.port
    if (!isLoopback(this.host)) {
      const message = `The port listens on ${this.host}: other machines can use this connection.`
      this.#emit({ event: 'warning', code: 'BEAM_WARN_BIND_EXPOSED', message })
    }
    const { address, path, reveals } = this
    const several = this.#several ? { strategy: this.#setup.strategy ?? ('fallback' as const), paths: this.paths } : {}
    this.#emit({ event: 'listening', host: this.host, port: this.port, address, path, reveals, ...several })
    this.#ways.watch()
  }

  get paths(): readonly PathReport[] {
    return this.#ways.reports()
  }

  stop(reason = 'stopped'): Promise<void> {
    this.#stopping ??= this.close().then(() => this.#emit({ event: 'stopped', reason }))
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Ends everything without a word. */
  async close(): Promise<void> {
    const reason = new BackendUnavailableError('The connection was stopped.')
    this.#ended.abort(reason)
    for (const socket of this.#sockets) resetStream(socket, reason)
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // What ends the socket before it is joined shows as 'close'; unheard, its error would end the process.
    socket.on('error', () => {})
    await firstBytes(socket)
    try {
      const stream = await this.#gate.run(() => (socket.destroyed ? Promise.resolve(undefined) : this.#ways.open()))
      if (stream === undefined) return
      this.#onUp('a new connection got through')
      if (socket.destroyed) resetStream(stream, new Error('the local connection was closed'))
      else void join(socket, stream)
    } catch (error) {
      resetStream(socket, error as Error)
      this.#onFailure(error)
    }
  }

  #onMove(from: Way, to: Way, reason: string): void {
    this.path = to.path ?? this.path
    if (this.host !== '' && !this.#ended.signal.aborted) this.#emit({ event: 'failover', from: from.label, to: to.label, reason })
  }

  #onFailure(error: unknown): void {
    if (this.#ended.signal.aborted) return
    const reason = reasonOf(error)
    this.#logger.debug('dial failed', { reason })
    if (isOfTheStream(error) || this.#down !== undefined) {
      // The local program only sees its connection broken off.
      if (reason !== this.#down) this.#warn('BEAM_WARN_CONNECTION_FAILED', `A connection failed: ${reason}`)
      return
    }
    this.#down = reason
    this.#emit({ event: 'down', address: this.address, reason })
    this.#reachAgain(0)
  }

  #onUp(reason: string): void {
    if (this.#down === undefined || this.#ended.signal.aborted) return
    this.#down = undefined
    this.#emit({ event: 'up', address: this.address, path: this.path, reason })
  }

  /** Looks for the service in the background, so that it is known to be back before somebody needs it. */
  #reachAgain(attempt: number): void {
    const { signal } = this.#ended
    const cancel = this.#clock.after(backoffDelayMs(attempt, RETRY), () => {
      signal.removeEventListener('abort', cancel)
      if (this.#down === undefined) return
      this.#ways.reach(signal).then(
        (path) => {
          this.path = path
          this.#onUp('the service was reached again')
        },
        () => {
          if (this.#down !== undefined && !signal.aborted) this.#reachAgain(attempt + 1)
        },
      )
    })
    signal.addEventListener('abort', cancel, { once: true })
  }

  #warn(code: string, message: string): void {
    const now = this.#clock.monotonic()
    for (const [told, at] of this.#warnedAt) if (now - at >= WARN_EVERY_MS) this.#warnedAt.delete(told)
    if (this.#warnedAt.has(message) || this.#warnedAt.size >= MAX_WARNINGS) return
    this.#warnedAt.set(message, now)
    this.#emit({ event: 'warning', code, message })
  }

  #emit(event: ConnectEvent): void {
    try {
      this.#setup.onEvent?.(event)
    } catch (error) {
      this.#logger.error('a listener of connection events threw', { event: event.event, reason: messageOf(error) })
    }
  }
}

/** The way that the user named first, and the others. */
function waysOf({ address, dialled = address, handle, dial, weight, others = [] }: ConnectSetup): WayTarget[] {
  return [{ handle, address: dialled, ...(dial && { dial }), ...(weight !== undefined && { weight }) }, ...others]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What happened, and what can be done about it. */
function reasonOf(error: unknown): string {
  const message = messageOf(error)
  return isBeamError(error) && error.hint !== undefined ? `${message} ${error.hint}` : message
}

/**
 * Waits a moment for what the visitor says first, which then travels in one packet with the request for the stream. Most protocols have
 * the visitor speak first, and its words have arrived by the next turn of the event loop; those that wait for the service lose two turns.
 */
function firstBytes(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => (socket.readableLength > 0 ? resolve() : setImmediate(resolve)))
  })
}
