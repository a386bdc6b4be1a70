import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { StreamHandler, Visitor } from '../backend.ts'
import { systemClock, type Clock } from '../clock.ts'
import { BackendUnavailableError, ConfigError } from '../errors.ts'
import { silentLogger, type Logger } from '../logger.ts'
import { connectForJoin, join, resetStream } from '../streams/index.ts'
import { HttpFront } from './http-front.ts'
import type { HttpOptions } from './http-headers.ts'

/** A local service answers a dial at once or never; five seconds cover a loaded machine and a database on the next host. */
const DIAL_LIMIT_MS = 5_000
/** How often a service that is down is looked for: soon enough for somebody who has just started it. */
const POLL_DOWN_MS = 1_000
/**
 * How often a service that is up is checked when no visitor did so: a probe is a connection that the service sees (and may log), so it is
 * made rarely, and only when nothing else told the state.
 */
const POLL_UP_MS = 10_000
/** How long a service may take to close a probe's connection, in milliseconds, before it is closed for it. */
const PROBE_CLOSE_MS = 1_000
/** Visitors at once: two descriptors each keep within the 10,240 that systems grant a process at least after raising the soft limit. */
const MAX_VISITORS = 4_096

/** Where the local service is. */
export interface ServiceTarget {
  /** `localhost` stands for ::1 and 127.0.0.1. */
  readonly host: string
  readonly port: number
}

/** What the state of the local service is, and why. */
export type ServiceState = 'up' | 'down'

/** What can be set besides the target. */
export interface LocalServiceOptions {
  /** HTTP features. */
  readonly http?: HttpOptions | undefined
  readonly clock?: Clock
  readonly logger?: Logger
}

/** Refuses what is no TCP port. */
export function assertPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return
  throw new ConfigError(`The port ${port} is not a whole number between 1 and 65535.`, { code: 'BEAM_ERR_PORT_INVALID' })
}

/**
 * The local service behind a tunnel: dials it for every visitor and knows whether it is there.
 * Nothing is dialled before `probe`, `watch` or the first visitor.
 */
export class LocalService {
  readonly target: ServiceTarget
  readonly #answers: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #sockets = new Set<Socket>()
  readonly #front: HttpFront | undefined
  #hosts: readonly string[]
  #state: ServiceState | undefined
  #heardAt = 0
  #onChange: ((state: ServiceState, reason: string) => void) | undefined
  #stopTimer: (() => void) | undefined
  #closed = false
  #visitors = 0
  #probing: Promise<ServiceState> | undefined

  constructor(target: ServiceTarget, options: LocalServiceOptions = {}) {
    assertPort(target.port)
    this.target = target
    this.#answers = `port ${target.port} answers`
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#hosts = target.host === 'localhost' ? ['127.0.0.1', '::1'] : [target.host]
    const { http } = options
    this.#front = http && new HttpFront({ target, connect: () => this.open(), options: http, logger: this.#logger })
  }

  /**
   * The service of a tunnel; undefined when somebody else takes its streams.
   * @throws ConfigError when HTTP features are wrong, or asked for where Beam does not speak with the service
   */
  static of(
    { target, onStream, http }: { readonly target: ServiceTarget; readonly onStream?: StreamHandler; readonly http?: HttpOptions },
    options: Omit<LocalServiceOptions, 'http'>,
  ): LocalService | undefined {
    if (onStream === undefined) return new LocalService(target, { ...options, http })
    if (http !== undefined)
      throw new ConfigError('HTTP features need a local port: there is none where a program takes the streams itself.')
    return undefined
  }

  /** As far as it is known; a service that was never tried counts as up. */
  get state(): ServiceState {
    return this.#state ?? 'up'
  }

  /** Looks whether something listens now. */
  probe(): Promise<ServiceState> {
    this.#probing ??= this.#probe().finally(() => (this.#probing = undefined))
    return this.#probing
  }

  async #probe(): Promise<ServiceState> {
    try {
      const socket = await this.#dial((host, port) => connect({ host, port }))
      // An end and not a reset: many a small service falls over a reset that it does not expect.
      socket.end()
      socket.resume()
      socket.setTimeout(PROBE_CLOSE_MS, () => socket.destroy())
      socket.on('error', () => {})
      socket.unref()
    } catch {
      // What went wrong is in #state, and told to whoever watches.
    }
    return this.state
  }

  /** Calls `onChange` whenever the service comes or goes, until `close`. */
  watch(onChange: (state: ServiceState, reason: string) => void): void {
    this.#onChange = onChange
    this.#schedule()
  }

  /** Takes a visitor's stream. */
  readonly handle = (stream: Duplex, visitor: Visitor): void =>
    this.#front === undefined ? this.#join(stream, visitor) : this.#front.handle(stream, visitor)

  /** Dials the service and joins the two. A service that refuses resets the visitor's stream, nothing else. */
  #join(stream: Duplex, visitor: Visitor): void {
    // Until it is joined, a failure of the visitor's side only ends the wait.
    stream.on('error', () => {})
    if (this.#visitors >= MAX_VISITORS) {
      resetStream(stream, new BackendUnavailableError(`More than ${MAX_VISITORS} visitors at once.`))
      return
    }
    this.#visitors += 1
    void this.#serve(stream, visitor).finally(() => (this.#visitors -= 1))
  }

  async #serve(stream: Duplex, visitor: Visitor): Promise<void> {
    let socket: Socket
    try {
      socket = await this.#dial((host, port) => connectForJoin({ host, port }))
    } catch (error) {
      resetStream(stream, error as Error)
      return
    }
    if (stream.destroyed || this.#closed) {
      resetStream(socket, new Error('the visitor left'))
      resetStream(stream, new Error('the tunnel was stopped'))
      return
    }
    this.#sockets.add(socket)
    const { outcome, error, bytesAToB, bytesBToA } = await join(socket, stream)
    this.#sockets.delete(socket)
    this.#logger.debug('visitor left', {
      backend: visitor.backend,
      outcome,
      reason: error?.message,
      bytesOut: bytesAToB,
      bytesIn: bytesBToA,
    })
  }

  /**
   * A connection to the service for somebody who speaks with it himself; it ends with the tunnel.
   * @throws BackendUnavailableError (`BEAM_ERR_SERVICE_DOWN`)
   */
  async open(): Promise<Socket> {
    const socket = await this.#dial((host, port) => connect({ host, port, allowHalfOpen: true, noDelay: true }))
    if (this.#closed) resetStream(socket, new Error('the tunnel was stopped'))
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  /** Ends the watch and every connection to the service. */
  close(): void {
    this.#closed = true
    this.#stopTimer?.()
    this.#front?.close()
    this.#onChange = undefined
    for (const socket of this.#sockets) resetStream(socket, new Error('the tunnel was stopped'))
    this.#sockets.clear()
  }

  /** Tries every address of the host, the one that answered last first. */
  async #dial<S extends Socket>(open: (host: string, port: number) => S): Promise<S> {
    const failures: Error[] = []
    for (const host of this.#hosts) {
      try {
        const socket = await connected(open(host, this.target.port))
        if (this.#hosts[0] !== host) this.#hosts = [host, ...this.#hosts.filter((other) => other !== host)]
        this.#learn('up', this.#answers)
        return socket
      } catch (error) {
        failures.push(error as Error)
      }
    }
    const { host, port } = this.target
    const ours = failures.find((error) => OURS.has((error as NodeJS.ErrnoException).code ?? ''))
    if (ours !== undefined) throw new BackendUnavailableError(`No socket for ${host}:${port}: ${ours.message}`, { cause: ours })
    const down = serviceDown(host, port, failures)
    this.#learn('down', down.message)
    throw down
  }

  #learn(state: ServiceState, reason: string): void {
    this.#heardAt = this.#clock.monotonic()
    if (this.#closed || this.#state === state) return
    this.#state = state
    this.#onChange?.(state, reason)
    if (this.#onChange !== undefined) this.#schedule()
  }

  #schedule(): void {
    this.#stopTimer?.()
    if (this.#closed) return
    const intervalMs = this.#state === 'down' ? POLL_DOWN_MS : POLL_UP_MS
    this.#stopTimer = this.#clock.every(intervalMs, () => {
      if (this.#clock.monotonic() - this.#heardAt >= intervalMs / 2) void this.probe()
    })
  }
}

/** The error of a service that nothing answers for. */
function serviceDown(host: string, port: number, failures: readonly Error[]): BackendUnavailableError {
  const late = failures.some((error) => error.message === LATE)
  return new BackendUnavailableError(late ? `${host}:${port} does not answer.` : `Nothing listens on ${host}:${port}.`, {
    code: 'BEAM_ERR_SERVICE_DOWN',
    hint: 'Start the service; the tunnel uses it as soon as it is there.',
    cause: new AggregateError(failures, 'no address of the service answered'),
  })
}

/** Failures to dial that say nothing about the service: this process has no descriptor left. */
const OURS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE'])

const LATE = 'the service did not answer in time'

/** Resolves when the socket is connected; destroys it when that fails or takes too long. */
function connected<S extends Socket>(socket: S): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(LATE)), DIAL_LIMIT_MS)
    const onError = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', onError)
      resolve(socket)
    })
  })
}
