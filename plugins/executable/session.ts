import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackendCapabilities, PluginContext } from '../../core/index.ts'
import { brokeProtocol, notRunning } from './failures.ts'
import { MAX_LOG_LINES_PER_WINDOW, PROTOCOL_VERSIONS, RATE_WINDOW_MS } from './limits.ts'
import type { NetworkType, Notification, Notifications } from './messages.ts'
import { readCapabilities, type ExecutableOptions } from './options.ts'
import { ExecutableProcess } from './process.ts'
import { RateWindow } from './rate.ts'
import { RpcConnection } from './rpc.ts'

/** What an executable said of itself when it started. */
export interface Introduction {
  readonly networkType: NetworkType
  readonly capabilities: BackendCapabilities
  readonly version?: string
}

/** What a session tells its owner. */
export interface SessionEvents {
  /** Everything but `log`. */
  readonly onNotification: (notification: Exclude<Notification, { method: 'log' }>) => void
  /** Told once, when the executable is gone, whatever the reason. */
  readonly onEnd: (error: Error) => void
}

/** One run of an executable, from its start to its end: the process, the protocol on its standard streams, and the introduction. */
export class ExecutableSession {
  readonly rpc: RpcConnection
  readonly #process: ExecutableProcess
  readonly #options: ExecutableOptions
  readonly #context: Omit<PluginContext, 'config'>
  readonly #events: SessionEvents
  readonly #logRate: RateWindow
  #end: Error | undefined

  /** Starts the process. */
  constructor(options: ExecutableOptions, context: Omit<PluginContext, 'config'>, events: SessionEvents) {
    this.#options = options
    this.#context = context
    this.#events = events
    const { clock, logger } = context
    this.#logRate = new RateWindow(MAX_LOG_LINES_PER_WINDOW, RATE_WINDOW_MS, clock)
    this.#process = new ExecutableProcess({
      command: options.command,
      cwd: options.cwd,
      env: options.env,
      clock,
      logger,
      onOutput: (chunk) => this.rpc.receive(chunk),
      onExit: (reason) => this.#ended(notRunning(options.name, reason)),
    })
    this.rpc = new RpcConnection({
      plugin: options.name,
      clock,
      timeLimitsMs: options.timeLimitsMs,
      write: (line) => {
        if (!this.#process.write(line)) void this.kill(brokeProtocol(options.name, 'it does not read its standard input'))
      },
      onNotification: (notification) => this.#receive(notification),
      onBroken: (error) => void this.kill(error),
    })
  }

  /** Process id, for diagnostics. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Whether the executable is gone, or is being ended. */
  get ended(): boolean {
    return this.#end !== undefined
  }

  /** Agrees on a version of the protocol, hands the configuration over and asks what the executable is. */
  async introduce(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Introduction> {
    const { name } = this.#options
    const paths = {
      data: join(this.#context.paths.data, 'executables', name),
      state: join(this.#context.paths.state, 'executables', name),
    }
    for (const folder of Object.values(paths)) await mkdir(folder, { recursive: true, mode: 0o700 })
    const config = this.#options.config ?? {}
    const greeting = await this.rpc.request('initialize', { protocolVersions: PROTOCOL_VERSIONS, name, config, paths }, options)
    if (!PROTOCOL_VERSIONS.includes(greeting.protocolVersion)) {
      throw brokeProtocol(name, `it chose version ${greeting.protocolVersion} of the protocol; Beam speaks ${PROTOCOL_VERSIONS.join(', ')}`)
    }
    const networkType = await this.rpc.request('network_type', {}, options)
    const told = await this.rpc.request('capabilities', {}, options)
    return {
      networkType,
      capabilities: readCapabilities(told),
      ...(greeting.version === undefined ? {} : { version: greeting.version }),
    }
  }

  /** Ends the executable in order: `shutdown`, end of its standard input, SIGTERM, SIGKILL. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#end === undefined) {
      // It may be too busy or too broken to answer: what follows ends it in any case.
      await this.rpc.request('shutdown', {}).catch(() => {})
    }
    this.#ended(notRunning(this.#options.name, 'it was stopped'))
    await this.#process.stop()
  }

  /** Ends the executable at once: it broke the rules, or hangs. */
  async kill(error: Error): Promise<void> {
    this.#ended(error)
    await this.#process.kill()
  }

  #ended(error: Error): void {
    if (this.#end !== undefined) return
    this.#end = error
    this.rpc.close(error)
    this.#events.onEnd(error)
  }

  #receive(notification: Notification): void {
    if (notification.method === 'log') return this.#log(notification.params)
    this.#events.onNotification(notification)
  }

  #log({ level, message, fields }: Notifications['log']): void {
    if (!this.#logRate.allows()) return
    const dropped = this.#logRate.takeRefused()
    if (dropped > 0) this.#context.logger.warn('log messages of the executable were dropped', { dropped })
    this.#context.logger[level]('the executable logged', { said: message, ...(fields === undefined ? {} : { fields }) })
  }
}
