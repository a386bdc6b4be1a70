import { Registration, type Announced, type Announcement, type AnnouncementState, type Clock } from '../../../core/index.ts'
import type { NodeAddress } from './node-address.ts'

/** Stopping an announcement takes a second at most. */
const WITHDRAW_MS = 1_000

/** What a registration is made of. */
export interface RegistrationParts {
  readonly announcement: Announcement
  /** The meeting places. */
  readonly nodes: () => Promise<readonly NodeAddress[]>
  readonly ask: (node: NodeAddress, topic: string, body: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>
  readonly clock: Clock
  readonly onState: ((state: AnnouncementState, reason: string) => void) | undefined
  readonly onStopped: () => void
}

/** A service of the mesh at meeting places that are dialled directly. */
export class RendezvousRegistration implements Announced {
  readonly #registration: Registration<NodeAddress>
  readonly #onStopped: () => void
  #record: { readonly record: Uint8Array; readonly sequence: number }

  constructor({ announcement, nodes, ask, clock, onState, onStopped }: RegistrationParts) {
    const { serviceKey, record, sequence, withdrawal, onSuperseded } = announcement
    this.#record = { record, sequence }
    this.#onStopped = onStopped
    this.#registration = new Registration({
      serviceKey,
      current: () => this.#record,
      withdrawal,
      withdrawMs: WITHDRAW_MS,
      onSuperseded,
      places: nodes,
      ask,
      clock,
      onState: onState === undefined ? undefined : (state, reason) => onState(state, reason),
    })
  }

  get state(): AnnouncementState {
    return this.#registration.state
  }

  update(record: Uint8Array, sequence: number): void {
    if (sequence <= this.#record.sequence) return
    this.#record = { record, sequence }
    this.#registration.wake()
  }

  async stop(): Promise<void> {
    await this.#registration.stop()
    this.#onStopped()
  }
}
