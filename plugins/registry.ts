import type { DependencyContainer } from 'tsyringe'
import type { BackendStatus, Logger } from '../core/index.ts'
import { BackendSlot, type SlotSetup } from './backend-slot.ts'

/**
 * The backends that a Beam instance has made. It owns their end: in reverse order of their making, each within a time limit, and one that
 * fails does not keep the others running. (The container's own `dispose` reaches neither values nor factories.)
 */
export class BackendRegistry implements AsyncDisposable {
  readonly #root: DependencyContainer
  readonly #logger: Logger
  readonly #slots = new Map<string, BackendSlot>()

  constructor(root: DependencyContainer, logger: Logger) {
    this.#root = root
    this.#logger = logger
  }

  /** The place of a plugin's backend; made with this configuration when it is the first time. */
  slot(setup: Omit<SlotSetup, 'root'>): BackendSlot {
    const { name } = setup.plugin
    let slot = this.#slots.get(name)
    if (slot === undefined) this.#slots.set(name, (slot = new BackendSlot({ ...setup, root: this.#root })))
    return slot
  }

  /** The place of a backend, if it was asked for before. */
  existing(name: string): BackendSlot | undefined {
    return this.#slots.get(name)
  }

  async status(name: string): Promise<BackendStatus | undefined> {
    return this.#slots.get(name)?.status()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const slots = [...this.#slots.values()].toReversed()
    this.#slots.clear()
    for (const slot of slots) {
      try {
        await slot[Symbol.asyncDispose]()
      } catch (error) {
        this.#logger.error('a backend did not stop properly', { backend: slot.name, reason: (error as Error).message })
      }
    }
  }
}
