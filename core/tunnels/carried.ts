import type { NetworkBackend } from '../backend.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Reachability } from './reachability.ts'
import { within } from './within.ts'

/** Stopping is local work, and a process that was asked to end has five seconds for all of it; who cannot do it in two is left behind. */
const STOP_LIMIT_MS = 2_000
/** The contract gives `getStatus` one second; a loaded machine gets two. */
const STATUS_LIMIT_MS = 2_000
/** Answers that may be missed in a row before the backend counts as lost: one or two may be a busy event loop. */
const MAX_MISSED_CHECKS = 3

/** A tunnel that a backend carries. */
export class Carried {
  readonly backend: NetworkBackend
  /** The tunnel's id there. */
  readonly id: string
  /** Aborted when the tunnel is given up: nothing that the backend still says of it counts. */
  readonly attempt: AbortController
  readonly reachability: Reachability
  readonly #clock: Clock
  #missedChecks = 0

  constructor(parts: Pick<Carried, 'backend' | 'id' | 'attempt' | 'reachability'> & { readonly clock: Clock }) {
    this.backend = parts.backend
    this.id = parts.id
    this.attempt = parts.attempt
    this.reachability = parts.reachability
    this.#clock = parts.clock
  }

  /** Asks the backend whether it still carries the tunnel: why it is lost; undefined when it is not. */
  async lost(): Promise<string | undefined> {
    const { name } = this.backend
    try {
      const work = this.backend.getStatus()
      const status = await within(work, { ms: STATUS_LIMIT_MS, what: `The status of ${name}`, clock: this.#clock })
      this.#missedChecks = 0
      if (status.state === 'failed' || status.state === 'stopped') return status.message ?? `${name} ${status.state}`
      return status.tunnels.some((tunnel) => tunnel.id === this.id) ? undefined : `${name} no longer carries the tunnel`
    } catch (error) {
      this.#missedChecks += 1
      return this.#missedChecks < MAX_MISSED_CHECKS ? undefined : `${name} does not answer: ${(error as Error).message}`
    }
  }
}

/** Ends a tunnel of a backend, which is left behind when it does not answer. Never rejects. */
export async function withdraw(
  { backend, id }: Pick<Carried, 'backend' | 'id'>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  try {
    await within(backend.stopTunnel(id), { ms: STOP_LIMIT_MS, what: `Stopping the tunnel on ${backend.name}`, clock })
  } catch (error) {
    logger.warn('tunnel not stopped', { backend: backend.name, reason: (error as Error).message })
  }
}
