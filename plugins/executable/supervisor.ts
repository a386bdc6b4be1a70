import { setMaxListeners } from 'node:events'
import { backoffDelayMs, isBeamError, type BackendState, type PluginContext } from '../../core/index.ts'
import { notRunning } from './failures.ts'
import { PROBE_EVERY_MS, RESTART_BACKOFF, STABLE_AFTER_MS } from './limits.ts'
import type { Notification } from './messages.ts'
import type { ExecutableOptions } from './options.ts'
import { ExecutableSession, type Introduction } from './session.ts'

/** What a supervisor tells its owner. */
export interface SupervisorEvents {
  readonly onNotification: (notification: Exclude<Notification, { method: 'log' }>) => void
  /** The executable ended although it should run. It will be restarted. */
  readonly onLost: (error: Error) => void
  /** The executable runs and introduced itself. What this throws ends the attempt. */
  readonly onStarted: (session: ExecutableSession, introduction: Introduction, options: { readonly signal?: AbortSignal }) => Promise<void>
}

/** Keeps one executable running: starts it, watches it, and starts it again after a crash, with backoff and full jitter. */
export class Supervisor {
  readonly #options: ExecutableOptions
  readonly #context: Omit<PluginContext, 'config'>
  readonly #events: SupervisorEvents
  readonly #stopping = new AbortController()
  #session: ExecutableSession | undefined
  #state: BackendState = 'idle'
  #message: string | undefined
  #attempt = 0
  #startedAt = 0
  #cancelRestart: (() => void) | undefined
  #cancelProbe: (() => void) | undefined
  #launching: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  constructor(options: ExecutableOptions, context: Omit<PluginContext, 'config'>, events: SupervisorEvents) {
    this.#options = options
    this.#context = context
    this.#events = events
  }

  get state(): BackendState {
    return this.#state
  }

  /** Why the state is what it is. */
  get message(): string | undefined {
    return this.#message
  }

  /** The executable that runs now. */
  get session(): ExecutableSession | undefined {
    return this.#session
  }

  /** The executable that runs now. @throws BackendUnavailableError when there is none */
  running(): ExecutableSession {
    if (this.#session !== undefined && this.#state === 'running') return this.#session
    throw notRunning(this.#options.name, this.#message ?? 'it was not initialized', {
      hint: this.#state === 'failed' ? 'It is restarted automatically; its log says why it ended.' : undefined,
    })
  }

  /** First start; harmless when repeated. Its failure leaves nothing behind and is not repeated. */
  async start({ signal }: { readonly signal?: AbortSignal }): Promise<void> {
    signal?.throwIfAborted()
    if (this.#state === 'running') return
    if (this.#stopped !== undefined) throw notRunning(this.#options.name, 'it was stopped')
    if (this.#state === 'starting') return await this.#launching
    this.#cancelRestart?.()
    this.#state = 'starting'
    try {
      await this.#launch(signal)
    } catch (error) {
      if (this.#stopped === undefined) this.#fail(error)
      throw error
    }
  }

  /** Ends the executable for good; harmless when repeated. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping'
    this.#message = 'it was stopped'
    this.#cancelRestart?.()
    this.#cancelProbe?.()
    const session = this.#session
    this.#session = undefined
    this.#stopping.abort(notRunning(this.#options.name, 'it was stopped'))
    await session?.stop()
    await this.#launching?.catch(() => {})
    this.#state = 'stopped'
  }

  #launch(signal?: AbortSignal): Promise<void> {
    this.#launching = this.#launchOnce(signal)
    return this.#launching
  }

  /** Starts the process and waits for its introduction. */
  async #launchOnce(signal?: AbortSignal): Promise<void> {
    const waits = AbortSignal.any(signal === undefined ? [this.#stopping.signal] : [signal, this.#stopping.signal])
    // Every tunnel that is published again listens to it, and there may be many.
    setMaxListeners(0, waits)
    const session: ExecutableSession = new ExecutableSession(this.#options, this.#context, {
      onNotification: this.#events.onNotification,
      onEnd: (error) => this.#lost(session, error),
    })
    try {
      const introduction = await session.introduce({ signal: waits })
      this.#session = session
      await this.#events.onStarted(session, introduction, { signal: waits })
      if (session.ended) throw notRunning(this.#options.name, 'it ended while it was started')
    } catch (error) {
      if (this.#session === session) this.#session = undefined
      await session.kill(error instanceof Error ? error : notRunning(this.#options.name, String(error)))
      throw error
    }
    this.#state = 'running'
    this.#message = undefined
    this.#startedAt = this.#context.clock.monotonic()
    this.#cancelProbe = this.#context.clock.every(PROBE_EVERY_MS, () => void this.#probe(session))
  }

  /** An executable that does not say in time how it is hangs. */
  async #probe(session: ExecutableSession): Promise<void> {
    try {
      await session.rpc.request('status', {})
    } catch (error) {
      if (this.#session !== session || session.ended) return
      if (isBeamError(error) && error.kind === 'timeout') await session.kill(notRunning(this.#options.name, 'it hung, and was ended'))
    }
  }

  #lost(session: ExecutableSession, error: Error): void {
    if (this.#session !== session || this.#state !== 'running') return
    this.#session = undefined
    this.#cancelProbe?.()
    if (this.#context.clock.monotonic() - this.#startedAt >= STABLE_AFTER_MS) this.#attempt = 0
    this.#fail(error)
    this.#context.logger.error('the executable ended', { reason: error.message, attempt: this.#attempt })
    this.#events.onLost(error)
    this.#scheduleRestart()
  }

  #fail(error: unknown): void {
    this.#state = 'failed'
    this.#message = error instanceof Error ? error.message : String(error)
  }

  #scheduleRestart(): void {
    const delayMs = backoffDelayMs(this.#attempt, RESTART_BACKOFF)
    this.#attempt += 1
    this.#cancelRestart = this.#context.clock.after(delayMs, () => void this.#restart(), { unref: true })
  }

  async #restart(): Promise<void> {
    try {
      await this.#launch()
      this.#context.logger.info('the executable was restarted', { attempt: this.#attempt })
    } catch (error) {
      if (this.#stopped !== undefined) return
      this.#fail(error)
      this.#context.logger.error('the executable could not be restarted', { reason: this.#message, attempt: this.#attempt })
      this.#scheduleRestart()
    }
  }
}
