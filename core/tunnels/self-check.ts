import type { NetworkBackend } from '../backend.ts'
import { isDialler, type DialOptions } from '../powers.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import type { Clock } from '../clock.ts'
import { isBeamError } from '../errors.ts'
import { nextProbeMs, PathHealth } from '../routing/health/index.ts'
import type { HealthSettings } from './health-settings.ts'
import { newTunnelId } from './ids.ts'
import { within } from './within.ts'

/** Failures in a row before an endpoint counts as out of order: single paths break on every network. */
const FAILURES_TO_TELL = 2

/** How often an endpoint is looked at while it proves that it works again. */
const LOOKS_IN_TRIAL = 4

/** Least distance of checks that are asked for: a backend may change its mind a hundred times in a second. */
const HURRY_DISTANCE_MS = 1_000

/** What a check found out. */
export interface Verdict {
  readonly works: boolean
  /** For people. */
  readonly reason: string
  /** How long it has been so, in milliseconds: since the first failure of the row. */
  readonly forMs: number
}

/** What is checked. */
export interface SelfCheckSetup {
  readonly backend: NetworkBackend
  /** The address that is to be dialled now; undefined when there is none. */
  readonly address: () => string | undefined
  /** What a visitor needs besides the address. */
  readonly dial: Pick<DialOptions, 'secret'>
  readonly settings: Required<HealthSettings>
  /** Whether it was out of order before: it is looked at more often until it has worked for long enough. */
  readonly afterFailure: boolean
  readonly clock: Clock
  readonly random?: () => number
  /** Told when the verdict changes, and the first one; single failures are looked at again before anything is told. */
  readonly onVerdict: (verdict: Verdict) => void
}

/** Whether a dial of one's own address through a network says anything about the network. */
export function canCheckItself(backend: NetworkBackend, { exposesPublisherIp }: BackendCapabilities): boolean {
  return !exposesPublisherIp && isDialler(backend)
}

/**
 * The publisher as its own visitor: dials its own address through the network from time to time. Each check is made over a path of its own
 * (`isolation`), since a path that is kept open would go on working when nobody else could get in any more.
 */
export class SelfCheck {
  readonly health: PathHealth
  readonly #setup: SelfCheckSetup
  readonly #ended = new AbortController()
  #cancel: (() => void) | undefined
  #told: boolean | undefined
  /** When a visitor got through last. */
  #provedAt = -Infinity
  #checking = false
  /** When the last check began. */
  #checkedAt = -Infinity

  constructor(setup: SelfCheckSetup) {
    this.#setup = setup
    this.health = new PathHealth({ clock: setup.clock, halfLifeMs: setup.settings.probeEveryMs * 2 })
  }

  /** Makes the first check at once. */
  start(): void {
    void this.#check()
  }

  stop(): void {
    this.#ended.abort(new Error('no longer checked'))
    this.#cancel?.()
  }

  /** A visitor got through: as good as a check. */
  proved(): void {
    if (this.#ended.signal.aborted) return
    const { clock } = this.#setup
    this.#provedAt = clock.monotonic()
    if (this.#told === true && this.health.figures().failuresInARow === 0) return
    this.health.succeeded({ by: 'traffic' })
    this.#tell({ works: true, reason: 'a visitor got through', forMs: 0 })
    if (!this.#checking) this.#later()
  }

  /** Looks at once, because something changed; not when it just looked. */
  hurry(): void {
    const justNow = this.#setup.clock.monotonic() - this.#checkedAt < HURRY_DISTANCE_MS
    if (justNow || this.#checking || this.#ended.signal.aborted) return
    this.#cancel?.()
    void this.#check()
  }

  async #check(): Promise<void> {
    const { backend, clock, dial, settings } = this.#setup
    const address = this.#setup.address()
    const { signal } = this.#ended
    if (clock.monotonic() - this.#provedAt < settings.probeEveryMs / 2 && this.#told === true) return this.#later()
    if (address === undefined || !isDialler(backend) || !backend.canDial(address)) return this.#later()
    this.#checking = true
    this.#checkedAt = clock.monotonic()
    const attempt = new AbortController()
    const onEnd = (): void => attempt.abort(signal.reason)
    signal.addEventListener('abort', onEnd, { once: true })
    const start = clock.monotonic()
    try {
      const work = backend.reach(address, { ...dial, isolation: newTunnelId(), signal: attempt.signal })
      await within(work, { ms: settings.probeLimitMs, what: `Reaching its own address through ${backend.name}`, clock, signal })
      this.#worked(clock.monotonic() - start)
    } catch (error) {
      attempt.abort(error)
      if (!signal.aborted) this.#judge(error, clock.monotonic() - start)
    } finally {
      signal.removeEventListener('abort', onEnd)
      this.#checking = false
    }
    this.#later()
  }

  /** What a failed dial means for the endpoint. */
  #judge(error: unknown, ms: number): void {
    const code = isBeamError(error) ? error.code : undefined
    // Whoever refused was reached; whoever says that its service is absent as well.
    if (code === 'BEAM_ERR_ACCESS_DENIED' || code === 'BEAM_ERR_SERVICE_DOWN') return this.#worked(ms)
    if (code === 'BEAM_ERR_UNSUPPORTED') return this.#tell({ works: true, reason: 'the network does not let it check itself', forMs: 0 })
    this.health.failed({ by: 'probe' })
    const { failuresInARow, failingForMs = 0 } = this.health.figures()
    if (failuresInARow < FAILURES_TO_TELL) return
    const message = error instanceof Error ? error.message : String(error)
    this.#tell({
      works: false,
      reason: `its own address could not be reached through ${this.#setup.backend.name}: ${message}`,
      forMs: failingForMs,
    })
  }

  #worked(ms: number): void {
    this.health.succeeded({ by: 'probe', ttfbMs: ms })
    this.#tell({ works: true, reason: `it was reached through ${this.#setup.backend.name}`, forMs: 0 })
  }

  #tell(verdict: Verdict): void {
    if (this.#ended.signal.aborted || this.#told === verdict.works) return
    this.#told = verdict.works
    this.#setup.onVerdict(verdict)
  }

  /** Whether it failed and has not worked for long enough since. */
  get #proving(): boolean {
    const { failed, workingForMs = 0 } = this.health.figures()
    return (failed > 0 || this.#setup.afterFailure) && workingForMs < this.#setup.settings.recoverAfterMs
  }

  #later(): void {
    if (this.#ended.signal.aborted) return
    const { clock, settings, random } = this.#setup
    const { failuresInARow } = this.health.figures()
    const waitMs = nextProbeMs(failuresInARow, {
      everyMs: this.#proving ? Math.min(settings.probeEveryMs, settings.recoverAfterMs / LOOKS_IN_TRIAL) : settings.probeEveryMs,
      ...(random === undefined ? {} : { random }),
    })
    this.#cancel?.()
    this.#cancel = clock.after(waitMs, () => void this.#check(), { unref: true })
  }
}
