import type { PublishEvent } from '../../core/tunnels/events.ts'
import { CarriedTunnel, type CarriedSetup } from './carried-tunnel.ts'
import { Journal } from './journal.ts'
import type { MigrateRequest, TunnelRecord } from './protocol.ts'

/** The tunnels that this process carries, and what happened to them. */
export class Carrier {
  readonly journal = new Journal()
  readonly #tunnels = new Map<string, CarriedTunnel>()

  /** Takes on a tunnel, which is listed from now on; the caller starts it, and calls {@link drop} when it comes to nothing. */
  add(setup: Omit<CarriedSetup, 'onEvent'>, onEvent: (event: PublishEvent) => void): CarriedTunnel {
    const tunnel = new CarriedTunnel({
      ...setup,
      onEvent: (event) => {
        this.journal.add(event)
        onEvent(event)
      },
    })
    this.#tunnels.set(tunnel.id, tunnel)
    return tunnel
  }

  get(id: string): CarriedTunnel | undefined {
    return this.#tunnels.get(id)
  }

  records(): TunnelRecord[] {
    return [...this.#tunnels.values()].map((tunnel) => tunnel.record())
  }

  drop(id: string): void {
    this.#tunnels.delete(id)
  }

  /** Ends a tunnel. False: there is none with this id. */
  async stop(id: string, reason: string): Promise<boolean> {
    const tunnel = this.#tunnels.get(id)
    if (tunnel === undefined) return false
    this.#tunnels.delete(id)
    await tunnel.stop(reason)
    return true
  }

  /** Moves a tunnel. Undefined: there is none with this id. Otherwise as `CarriedTunnel.migrate`. */
  async migrate(id: string, request: MigrateRequest, signal: AbortSignal): Promise<readonly string[] | undefined> {
    return this.#tunnels.get(id)?.migrate(request, signal)
  }

  get size(): number {
    return this.#tunnels.size
  }
}
