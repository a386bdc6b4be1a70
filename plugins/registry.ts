import type { DependencyContainer } from 'tsyringe'
import { BackendUnavailableError, type BackendStatus, type Logger } from '../core/index.ts'
import { BackendSlot, type SlotSetup } from './backend-slot.ts'
import { boundedLogger } from './bounded-logger.ts'
import { watchFaults, type FaultKind } from './faults.ts'
import { tokens } from './tokens.ts'

/**
 * The backends that a Beam instance has made. It owns their end: in reverse order of their making, each within a time limit, and one that
 * fails does not keep the others running. (The container's own `dispose` reaches neither values nor factories.)
 */
export class BackendRegistry implements AsyncDisposable {
  readonly #root: DependencyContainer
  readonly #logger: Logger
  /** For what plugins do a thousand times a second once they have begun. */
  readonly #faultLogger: Logger
  readonly #slots = new Map<string, BackendSlot>()
  readonly #unwatch = new Map<string, () => void>()

  constructor(root: DependencyContainer, logger: Logger) {
    this.#root = root
    this.#logger = logger
    this.#faultLogger = boundedLogger(logger, root.resolve(tokens.Clock))
  }

  /** The place of a plugin's backend; made with this configuration when it is the first time. */
  slot({ folder, ...setup }: Omit<SlotSetup, 'root'> & { readonly folder?: string | undefined }): BackendSlot {
    const { name } = setup.plugin
    const known = this.#slots.get(name)
    if (known !== undefined) return known
    const slot = new BackendSlot({ ...setup, root: this.#root })
    this.#slots.set(name, slot)
    if (folder !== undefined)
      this.#unwatch.set(name, watchFaults({ name, folder, onFault: (error, kind) => this.#onFault(slot, error, kind) }))
    return slot
  }

  /** The place of a backend, if it was asked for before. */
  existing(name: string): BackendSlot | undefined {
    return this.#slots.get(name)
  }

  async status(name: string): Promise<BackendStatus | undefined> {
    return this.#slots.get(name)?.status()
  }

  /** An operation of a backend that was started; `Beam.operate` says more. */
  async operate(
    name: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
    options: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, unknown>>> {
    const slot = this.#slots.get(name)
    if (slot === undefined || !slot.started)
      throw new BackendUnavailableError(`${name} is not used by this process.`, { code: 'BEAM_ERR_BACKEND_IDLE' })
    return slot.operate(operation, input, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const slots = [...this.#slots.values()].reverse()
    this.#slots.clear()
    for (const slot of slots) {
      try {
        await slot[Symbol.asyncDispose]()
      } catch (error) {
        this.#logger.error('a backend did not stop properly', { backend: slot.name, reason: (error as Error).message })
      }
    }
    for (const unwatch of this.#unwatch.values()) unwatch()
    this.#unwatch.clear()
  }

  /** A forgotten promise is a fault that is told; after an exception the backend is replaced, and its tunnels are started again. */
  #onFault(slot: BackendSlot, error: unknown, kind: FaultKind): void {
    // Who leaves rejections and timers behind does so after the end too: such a plugin stays watched as long as the process lives.
    this.#unwatch.delete(slot.name)
    const reason = error instanceof Error ? error.message : String(error)
    this.#faultLogger.error(kind === 'rejection' ? 'a plugin left a rejection unhandled' : 'a plugin threw where nobody could catch it', {
      plugin: slot.name,
      reason,
    })
    if (kind === 'exception')
      slot
        .fail()
        .catch((failure: unknown) => this.#logger.error('a backend did not stop properly', { backend: slot.name, reason: String(failure) }))
  }
}
