import type { DependencyContainer } from 'tsyringe'
import {
  BackendUnavailableError,
  within,
  type BackendCapabilities,
  type BackendHandle,
  type BackendStatus,
  type BeamPlugin,
  type NetworkBackend,
} from '../core/index.ts'
import { pluginContext, pluginScope } from './container.ts'
import { attributed } from './attribution.ts'
import { blame, guardBackend } from './guard.ts'

/** A start that takes longer is taken for a hang, unless the plugin asked for more time; other backends wait for their turn meanwhile. */
const INITIALIZE_LIMIT_MS = 30_000
/** A cold start of the slowest network (fetching a directory through a bridge) takes minutes; an answer after ten is none. */
const MAX_INITIALIZE_LIMIT_MS = 600_000
/** A process that was asked to end has five seconds for everything. */
const DISPOSE_LIMIT_MS = 2_000
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

  ready({ signal }: { readonly signal?: AbortSignal } = {}): Promise<NetworkBackend> {
    this.#running ??= this.#initialize()
    // A little longer than the start itself may take, which says better what went wrong.
    return within(this.#running, { ms: this.#limitMs + DISPOSE_LIMIT_MS * 2, what: `Starting the backend ${this.name}`, signal })
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
      const work = attributed(this.name, async () => made.initialize({ signal: attempt.signal }))
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
      this.#ended.signal.removeEventListener('abort', onEnd)
    }
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
