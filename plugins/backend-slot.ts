import type { DependencyContainer } from 'tsyringe'
import {
  BackendUnavailableError,
  isOperable,
  UnsupportedError,
  within,
  type BackendCapabilities,
  type BackendHandle,
  type BackendStatus,
  type BeamPlugin,
  type NetworkBackend,
  type Progress,
} from '../core/index.ts'
import { pluginContext, pluginScope } from './container.ts'
import { attributed, unattributed } from './attribution.ts'
import { blame, guardBackend } from './guard.ts'

/** A start that takes longer is taken for a hang, unless the plugin asked for more time; other backends wait for their turn meanwhile. */
const INITIALIZE_LIMIT_MS = 30_000
/** A cold start of the slowest network (fetching a directory through a bridge) takes minutes; an answer after ten is none. */
const MAX_INITIALIZE_LIMIT_MS = 600_000
/** The same for a tunnel: a descriptor that nobody took after ten minutes will not be taken. */
const MAX_START_LIMIT_MS = 600_000
/** A process that was asked to end has five seconds for everything. */
const DISPOSE_LIMIT_MS = 2_000
/** A daemon that is asked answers at once; half a minute covers one that has to build something first. */
const OPERATION_LIMIT_MS = 30_000
/** The contract gives `getStatus` one second. */
const STATUS_LIMIT_MS = 1_500

/** What a slot is made of. */
export interface SlotSetup {
  readonly plugin: BeamPlugin
  readonly config: Readonly<Record<string, unknown>>
  readonly root: DependencyContainer
}

/**
 * The place of one backend in a Beam instance: makes it when it is asked for, initializes it once, ends it. After a failed start the next
 * user gets a new one.
 */
export class BackendSlot implements BackendHandle {
  readonly name: string
  readonly #setup: SlotSetup
  #backend: NetworkBackend | undefined
  #running: Promise<NetworkBackend> | undefined
  #ended = new AbortController()
  /** Who waits for the start and wants to know how far it is. */
  readonly #waiting = new Set<(progress: Progress) => void>()
  #progress: Progress | undefined

  constructor(setup: SlotSetup) {
    this.#setup = setup
    this.name = setup.plugin.name
  }

  /** @throws PluginError when the plugin cannot make a backend. */
  get backend(): NetworkBackend {
    if (this.#backend !== undefined) return this.#backend
    const { plugin, config, root } = this.#setup
    const context = pluginContext(pluginScope(root, this.name, config))
    let made: unknown
    try {
      made = attributed(this.name, () => plugin.create(context))
    } catch (error) {
      throw blame(this.name, 'making its backend', error)
    }
    this.#backend = attributed(this.name, () => guardBackend(made, this.name))
    return this.#backend
  }

  get capabilities(): BackendCapabilities {
    return this.backend.getCapabilities()
  }

  get startLimitMs(): number | undefined {
    const { startLimitMs } = this.#setup.plugin
    return startLimitMs === undefined ? undefined : Math.min(startLimitMs, MAX_START_LIMIT_MS)
  }

  async ready({ signal, onProgress }: Parameters<BackendHandle['ready']>[0] = {}): Promise<NetworkBackend> {
    this.#running ??= this.#initialize()
    if (onProgress !== undefined && this.#progress !== undefined) onProgress(this.#progress)
    if (onProgress !== undefined) this.#waiting.add(onProgress)
    try {
      // A little longer than the start itself may take, which says better what went wrong.
      const ms = this.#limitMs + DISPOSE_LIMIT_MS * 2
      return await within(this.#running, { ms, what: `Starting the backend ${this.name}`, signal })
    } finally {
      if (onProgress !== undefined) this.#waiting.delete(onProgress)
    }
  }

  /** Its state, if it was made at all; a backend that does not answer has failed. */
  async status(): Promise<BackendStatus | undefined> {
    if (this.#backend === undefined) return undefined
    try {
      return await within(this.#backend.getStatus(), { ms: STATUS_LIMIT_MS, what: `The status of ${this.name}` })
    } catch (error) {
      return { state: 'failed', message: (error as Error).message, tunnels: [] }
    }
  }

  /** Whether somebody asked for its network: it runs, or it is being started. */
  get started(): boolean {
    return this.#running !== undefined
  }

  /** Carries out an operation of the backend, also while it starts. */
  async operate(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    options: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, unknown>>> {
    const { backend, name } = this
    const known = isOperable(backend) ? backend.operations.map((one) => one.name) : []
    if (!isOperable(backend) || !known.includes(operation)) {
      throw new UnsupportedError(`${name} has no operation ${JSON.stringify(operation.slice(0, 64))}.`, {
        hint: known.length === 0 ? `${name} has no operations.` : `It has: ${known.join(', ')}.`,
      })
    }
    const work = attributed(name, async () => backend.operate(operation, input, options))
    return within(work, { ms: OPERATION_LIMIT_MS, what: `The operation ${operation} of ${name}`, signal: options.signal })
  }

  /** Takes the backend out of service after a fault that nobody caught; the next user gets a new one. */
  async fail(): Promise<void> {
    const backend = this.#backend
    this.#backend = undefined
    this.#running = undefined
    if (backend !== undefined) await this.#end(backend)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new BackendUnavailableError('Beam was stopped.'))
    const backend = this.#backend
    if (backend !== undefined) await this.#end(backend)
  }

  get #limitMs(): number {
    return Math.min(this.#setup.plugin.initializeLimitMs ?? INITIALIZE_LIMIT_MS, MAX_INITIALIZE_LIMIT_MS)
  }

  async #initialize(): Promise<NetworkBackend> {
    let backend: NetworkBackend | undefined
    const attempt = new AbortController()
    const onEnd = (): void => attempt.abort(this.#ended.signal.reason)
    try {
      this.#ended.signal.throwIfAborted()
      this.#ended.signal.addEventListener('abort', onEnd, { once: true })
      const made = (backend = this.backend)
      const work = attributed(this.name, async () =>
        made.initialize({ signal: attempt.signal, onProgress: (progress) => this.#onProgress(progress) }),
      )
      await within(work, { ms: this.#limitMs, what: `Starting the plugin ${this.name} (initialize)`, signal: attempt.signal })
      return made
    } catch (error) {
      attempt.abort(error)
      this.#running = undefined
      if (backend !== undefined && this.#backend === backend) {
        this.#backend = undefined
        await this.#end(backend).catch(() => {})
      }
      throw blame(this.name, 'starting', error)
    } finally {
      this.#progress = undefined
      this.#ended.signal.removeEventListener('abort', onEnd)
    }
  }

  #onProgress(progress: Progress): void {
    this.#progress = progress
    for (const tell of this.#waiting) unattributed(() => tell(progress))
  }

  async #end(backend: NetworkBackend): Promise<void> {
    try {
      const work = attributed(this.name, async () => backend[Symbol.asyncDispose]())
      await within(work, { ms: DISPOSE_LIMIT_MS, what: `Stopping the plugin ${this.name}` })
    } catch (error) {
      throw blame(this.name, 'stopping', error)
    }
  }
}
