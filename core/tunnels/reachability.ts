import type { EndpointState, NetworkBackend } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import type { Clock } from '../clock.ts'
import type { HealthFigures } from '../routing/health/index.ts'
import type { HealthSettings } from './health-settings.ts'
import { canCheckItself, SelfCheck, type Verdict } from './self-check.ts'

/** How long a tunnel that is published may take until it can be reached through the network: news of it travels there for a minute or so. */
const REACHABLE_LIMIT_MS = 90_000

/** Whoever waits for longer is told what for. */
const TELL_AFTER_MS = 1_000

/** What a tunnel on one network is watched with. */
export interface ReachabilitySetup {
  readonly backend: NetworkBackend
  readonly capabilities: BackendCapabilities
  /** The address that is to be dialled now; undefined when there is none. */
  readonly address: () => string | undefined
  readonly secret: string | undefined
  readonly health: Required<HealthSettings>
  /** Whether it was out of order before, and so has to prove itself. */
  readonly afterFailure: boolean
  readonly clock: Clock
  /** Told the first verdict that it works, and each change after it. */
  readonly onVerdict: (verdict: Verdict) => void
  /** Told what it waits for before the first verdict. */
  readonly onWaiting: (message: string) => void
  /** Told when the tunnel was not reached in time. */
  readonly onNever: (why: string) => void
}

/**
 * Whether a tunnel that a network carries can be reached through it. Where a check of its own says nothing (see `canCheckItself`), or is
 * not wanted, the backend's word is enough.
 */
export class Reachability {
  readonly #setup: ReachabilitySetup
  #selfCheck: SelfCheck | undefined
  #verdict: Verdict | undefined
  #cancelDeadline: (() => void) | undefined
  #cancelTelling: (() => void) | undefined

  constructor(setup: ReachabilitySetup) {
    this.#setup = setup
  }

  /** Whether anything is known yet. */
  get known(): boolean {
    return this.#verdict !== undefined
  }

  get works(): boolean {
    return this.#verdict?.works === true
  }

  /** What the checks have measured; undefined where there are none. */
  get figures(): HealthFigures | undefined {
    return this.#selfCheck?.health.figures()
  }

  /** Starts looking; may tell a verdict at once. */
  start(): void {
    const { backend, capabilities, health, clock, secret, address, afterFailure, onWaiting, onNever } = this.#setup
    if (!health.selfCheck || !canCheckItself(backend, capabilities)) {
      return this.#onVerdict({ works: true, reason: `${backend.name} carries the tunnel`, forMs: 0 })
    }
    this.#selfCheck = new SelfCheck({
      backend,
      address,
      dial: secret === undefined ? {} : { secret },
      settings: health,
      afterFailure,
      clock,
      onVerdict: (verdict) => this.#onVerdict(verdict),
    })
    const seconds = REACHABLE_LIMIT_MS / 1000
    this.#cancelDeadline = clock.after(REACHABLE_LIMIT_MS, () =>
      onNever(`${backend.name} published the tunnel, but it could not be reached through the network within ${seconds} s.`),
    )
    this.#cancelTelling = clock.after(TELL_AFTER_MS, () => onWaiting('Published; dialling its own address through the network.'))
    this.#selfCheck.start()
  }

  /** The worse of what the backend and the self-check say of an endpoint. */
  stateOf(told: EndpointState): EndpointState {
    if (told !== 'active') return told
    if (this.#verdict === undefined) return 'announcing'
    return this.#verdict.works ? 'active' : 'down'
  }

  /** A visitor got through. */
  proved(): void {
    this.#selfCheck?.proved()
  }

  /** Looks at once, because the backend says that something changed. */
  hurry(): void {
    this.#selfCheck?.hurry()
  }

  stop(): void {
    this.#endWait()
    this.#selfCheck?.stop()
  }

  #onVerdict(verdict: Verdict): void {
    // Not reached yet is no failure of something that worked: it has until the deadline.
    if (this.#verdict === undefined && !verdict.works) return this.#setup.onWaiting(`Not reachable yet: ${verdict.reason}`)
    this.#endWait()
    this.#verdict = verdict
    this.#setup.onVerdict(verdict)
  }

  #endWait(): void {
    this.#cancelDeadline?.()
    this.#cancelTelling?.()
  }
}
