import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** Longest duration that is told apart, in microseconds: what takes longer than ten minutes counts as ten minutes. */
const HIGHEST_MICROSECONDS = 600_000_000
/** Below this many samples a percentile of 99.9 is the largest sample by another name. */
const ENOUGH_FOR_P999 = 1_000

/** A distribution of durations, in milliseconds. */
export interface Distribution {
  readonly count: number
  readonly minMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  /** Absent with fewer than 1000 samples. */
  readonly p999Ms?: number
  readonly maxMs: number
  /** The whole histogram (HdrHistogram V2, compressed, base64; microseconds), so that runs can be merged. */
  readonly hdr: string
}

/** Durations as they are measured, in bounded memory: to three digits. */
export class LatencyLog {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  })

  get count(): number {
    return this.#histogram.totalCount
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(HIGHEST_MICROSECONDS, Math.max(1, Math.round(ms * 1_000))))
  }

  /** Takes in what another log has. */
  add(other: LatencyLog): void {
    this.#histogram.add(other.#histogram)
  }

  /** The value in milliseconds below which this share of the durations lies; undefined without any. */
  at(percentile: number): number | undefined {
    return this.count === 0 ? undefined : this.#histogram.getValueAtPercentile(percentile) / 1_000
  }

  /** Undefined without any durations. */
  distribution(): Distribution | undefined {
    if (this.count === 0) return undefined
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / 1_000
    return {
      count: this.count,
      minMs: at(0),
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      ...(this.count >= ENOUGH_FOR_P999 && { p999Ms: at(99.9) }),
      maxMs: at(100),
      hdr: encodeIntoCompressedBase64(this.#histogram),
    }
  }
}
