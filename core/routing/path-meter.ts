import type { Clock } from '../clock.ts'
import { Ewma, PathHealth } from './health/index.ts'
import type { PathFigures } from './score.ts'

/** After so long a measurement counts half: what a path was two minutes ago tells little. */
const HALF_LIFE_MS = 30_000
/** The least latency counts for so long: the path may have changed since. */
const LEAST_FOR_MS = 300_000
/** Shorter transfers measure the round trip, not the bandwidth. */
const MIN_BULK_BYTES = 256 * 1024
/** A connection that was open for longer was idle for most of the time, as far as anybody knows. */
const MAX_BULK_MS = 60_000

/** Measures one path: from what it carries anyway, and from probes. */
export class PathMeter {
  readonly health: PathHealth
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #latency = new Ewma(HALF_LIFE_MS)
  readonly #bandwidth = new Ewma(HALF_LIFE_MS)
  #least: { readonly ms: number; readonly at: number } | undefined

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.health = new PathHealth({ clock, halfLifeMs: HALF_LIFE_MS })
  }

  /** The far end answered after so long. */
  latency(ms: number): void {
    const now = this.#clock.monotonic()
    this.#latency.add(ms, now)
    if (this.#least === undefined || ms <= this.#least.ms || now - this.#least.at > LEAST_FOR_MS) this.#least = { ms, at: now }
  }

  /** A rate was measured, in bytes per second. */
  bandwidth(bytesPerSecond: number): void {
    this.#bandwidth.add(bytesPerSecond, this.#clock.monotonic())
  }

  /** A connection carried so much in so long; only bulk counts. */
  carried(bytes: number, ms: number): void {
    if (bytes >= MIN_BULK_BYTES && ms <= MAX_BULK_MS) this.bandwidth((bytes * 1_000) / Math.max(1, ms))
  }

  figures(): PathFigures {
    const latencyMs = this.#latency.value
    const bytesPerSecond = this.#bandwidth.value
    const { successRate } = this.health.figures()
    const least = this.#least?.ms
    return {
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      ...(successRate === undefined ? {} : { reliability: successRate }),
      // A millisecond more or less is the machine, not a queue.
      ...(latencyMs === undefined || least === undefined ? {} : { congestion: Math.max(0, 1 - (least + 1) / (latencyMs + 1)) }),
    }
  }
}
