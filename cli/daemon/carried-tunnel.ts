import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { Beam, PublishedTunnel, PublishOptions, PublishTarget } from '../../plugins/beam.ts'
import { BackendUnavailableError } from '../../core/errors.ts'
import { toProblem } from './problem.ts'
import type { MigrateRequest, Problem, TunnelRecord } from './protocol.ts'

/** A tunnel that a process is to carry. */
export interface CarriedSetup {
  readonly id: string
  readonly target: PublishTarget
  readonly options: Omit<PublishOptions, 'id' | 'onEvent' | 'signal'>
  /** Whether the daemon keeps it. */
  readonly kept?: boolean
  /** The configuration file that declares it. */
  readonly config?: string | undefined
  readonly since?: string
  readonly onEvent: (event: PublishEvent) => void
}

/** A tunnel of this process with what lists show of it, also before it is ready and while it waits for another attempt. */
export class CarriedTunnel {
  readonly id: string
  readonly #setup: CarriedSetup
  readonly #since: string
  readonly #stopping = new AbortController()
  #tunnel: PublishedTunnel | undefined
  #starting: Promise<void> | undefined
  #problem: Problem | undefined

  constructor(setup: CarriedSetup) {
    this.id = setup.id
    this.#setup = setup
    this.#since = setup.since ?? new Date().toISOString()
  }

  get name(): string | undefined {
    return this.#setup.options.name
  }

  /** Fires when it is to end. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** Publishes it. Can be repeated after a failure. Errors as `Beam.publish`. */
  async start(beam: Pick<Beam, 'publish'>, signal?: AbortSignal): Promise<void> {
    const { id, target, options, onEvent } = this.#setup
    const until = signal === undefined ? this.signal : AbortSignal.any([signal, this.signal])
    this.#problem = undefined
    const attempt = beam.publish(target, { ...options, id, onEvent, signal: until })
    this.#starting = attempt.then(
      (tunnel) => void (this.#tunnel = tunnel),
      () => {},
    )
    await attempt
  }

  /** Remembers why it waits for another attempt. */
  wait(error: unknown): void {
    this.#problem = toProblem(error)
  }

  record(): TunnelRecord {
    const { id, target, options, kept = false, config } = this.#setup
    const { endpoints = [], access, service } = this.#tunnel?.snapshot() ?? {}
    return {
      id,
      ...(options.name === undefined ? {} : { name: options.name }),
      host: target.host ?? 'localhost',
      port: target.port,
      state: this.#tunnel !== undefined ? 'ready' : this.#problem === undefined ? 'starting' : 'waiting',
      kept,
      since: this.#since,
      ...(config === undefined ? {} : { config }),
      endpoints,
      ...(this.#tunnel === undefined ? {} : { networks: this.#tunnel.health() }),
      ...(access === undefined ? {} : { access }),
      ...(service === undefined ? {} : { service }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    }
  }

  /**
   * Moves it from one backend to another. Errors as `PublishedTunnel.migrate`; not before it is ready.
   * @returns the backends that it uses now, by preference
   */
  async migrate({ from, to, drainMs, allowExposure }: MigrateRequest, signal: AbortSignal): Promise<readonly string[]> {
    const tunnel = this.#tunnel
    if (tunnel === undefined) throw new BackendUnavailableError('The tunnel is not up yet.', { hint: 'To see how it is: beam status' })
    await tunnel.migrate({
      from,
      to,
      signal,
      ...(drainMs === undefined ? {} : { drainMs }),
      ...(allowExposure === undefined ? {} : { allowExposure }),
    })
    return tunnel.backends()
  }

  /** Ends it, also while it starts; harmless when repeated. */
  async stop(reason: string): Promise<void> {
    this.#stopping.abort(new Error(reason))
    await this.#starting
    await this.#tunnel?.stop(reason)
  }
}
