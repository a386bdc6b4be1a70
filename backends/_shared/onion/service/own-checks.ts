import { randomBytes } from 'node:crypto'
import { backoffDelayMs, BackendUnavailableError, sleep, type BeamError, type Clock } from '../../../../core/index.ts'
import type { DaemonSession } from '../daemon/session.ts'
import type { Supervisor } from '../daemon/supervisor.ts'
import type { Flavour } from '../flavour.ts'
import { until } from '../until.ts'
import { reachService } from './self-check.ts'

/** How long a new service may be out of reach although its descriptor is uploaded, before it is published anew. */
const FIRST_REACH_LIMIT_MS = 90_000
/** Between the first checks of a new service. */
const CHECK_SOON = { baseMs: 500, maxMs: 5_000 }
/** Between checks of a service that works: often enough to notice what visitors would complain about, seldom enough to be no load. */
const CHECK_EVERY_MS = 600_000
/** Checks that fail in a row, and the time between them, before a service counts as out of reach. */
const MAX_FAILED_CHECKS = 3
const CHECK_AGAIN_MS = 10_000
/** A check that is no older says how things are now. */
const JUST_NOW_MS = 5_000

/** What is checked, and through which daemon. */
export interface Checked {
  readonly session: DaemonSession
  /** Ports that the service offers. */
  readonly ports: readonly number[]
  readonly signal: AbortSignal
}

/** The looks that an onion service takes at itself through the network. */
export class OwnChecks {
  readonly #setup: { readonly id: string; readonly flavour: Flavour; readonly supervisor: Supervisor; readonly clock: Clock }
  /** The last check, when it got through: when it ended, and how long it took. */
  #reached: { readonly atMs: number; readonly ms: number } | undefined
  /** Ends the wait before the next check. */
  #endWait: () => void = () => {}

  constructor(setup: { readonly id: string; readonly flavour: Flavour; readonly supervisor: Supervisor; readonly clock: Clock }) {
    this.#setup = setup
  }

  /** How long a check took that got through just now, in milliseconds: another one would tell nothing new. Undefined when there is none. */
  get justReachedMs(): number | undefined {
    const reached = this.#reached
    if (reached === undefined || this.#setup.clock.monotonic() - reached.atMs >= JUST_NOW_MS) return undefined
    return reached.ms
  }

  /** The next check is made at once. */
  hurry(): void {
    this.#endWait()
  }

  /**
   * Resolves when a new service was reached. `onMissed` hears of failures after the first one.
   * @throws BackendUnavailableError when it stays out of reach; the signal's reason
   */
  async first(checked: Checked, onMissed: (failure: BeamError) => void): Promise<void> {
    const { clock } = this.#setup
    const limit = clock.monotonic() + FIRST_REACH_LIMIT_MS
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#reach(checked)
      if (failure === undefined) return
      if (clock.monotonic() > limit) throw outOfReach(failure)
      if (attempt > 0) onMissed(failure)
      await sleep(CHECK_SOON.baseMs + backoffDelayMs(attempt, CHECK_SOON), { clock, signal: checked.signal })
    }
  }

  /**
   * Looks after a service that works. `onReached`: told after each check that got through.
   * @throws BackendUnavailableError when it is out of reach again and again; the signal's reason
   */
  async later(checked: Checked, onReached: () => void): Promise<never> {
    for (let failed = 0; ;) {
      await this.#wait(failed === 0 ? CHECK_EVERY_MS : CHECK_AGAIN_MS, checked.signal)
      // Without a network a check would only say so, and publishing anew would not help.
      if (!this.#setup.supervisor.network.up) continue
      const failure = await this.#reach(checked)
      if (failure === undefined) {
        failed = 0
        onReached()
      } else if (failure.kind !== 'unavailable') {
        failed += 1
        if (failed >= MAX_FAILED_CHECKS) throw outOfReach(failure)
      }
    }
  }

  /** Where nothing can be checked, the service counts as reached whenever somebody asks and there is a network. */
  async blind(signal: AbortSignal, onReached: () => void): Promise<never> {
    for (;;) {
      await this.#wait(CHECK_EVERY_MS, signal)
      if (this.#setup.supervisor.network.up) onReached()
    }
  }

  async #reach({ session, ports, signal }: Checked): Promise<BeamError | undefined> {
    const { id, flavour, clock, supervisor } = this.#setup
    // A circuit of its own each time: one that happens to be there would say nothing of the next visitor's.
    const user = { user: `beam-check-${randomBytes(9).toString('hex')}`, password: 'onion' }
    const networkUp = supervisor.network.up
    const startedAt = clock.monotonic()
    const failure = await reachService({ session, flavour, host: `${id}.${flavour.suffix}`, ports, user, networkUp, clock, signal })
    const now = clock.monotonic()
    this.#reached = failure === undefined ? { atMs: now, ms: Math.round(now - startedAt) } : undefined
    return failure
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return until(signal, (resolve) => {
      this.#endWait = resolve
      return this.#setup.clock.after(ms, resolve, { unref: true })
    })
  }
}

function outOfReach(cause: BeamError): BackendUnavailableError {
  return new BackendUnavailableError(`The onion service is published, but cannot be reached: ${cause.message}`, { cause })
}
