/** What is fixed about a path. */
export interface RangePathOptions {
  /**
   * Whether what is accepted arrives in order and unharmed as long as the path lives (a stream). What is late is then sent on other paths,
   * never again on the same one. Without it (messages) losses are repaired on the same path.
   */
  readonly reliable: boolean
  /** Largest segment. */
  readonly maxSegmentBytes: number
  /** Least wait before something counts as late, and the one before the first measurement, in milliseconds. */
  readonly minTimeoutMs: number
  readonly initialTimeoutMs: number
  /** How much may be on its way unacknowledged: least and most. */
  readonly minWindowBytes: number
  readonly maxWindowBytes: number
  /** Round trip that is known already, in milliseconds. */
  readonly initialRttMs?: number
}

/** A path that is a stream: what is late for three round trips, and 300 ms at least, goes to another path. */
export const STREAM_PATH: RangePathOptions = {
  reliable: true,
  maxSegmentBytes: 64 * 1024 - 1,
  minTimeoutMs: 300,
  initialTimeoutMs: 1_000,
  minWindowBytes: 64 * 1024,
  maxWindowBytes: 4 * 1024 * 1024,
}

/** Segments of a slow path are so short that one takes about this long: then acknowledgements show that the path lives. */
const SEGMENT_MS = 40
const MIN_SEGMENT_BYTES = 4 * 1024
const FIRST_SEGMENT_BYTES = 16 * 1024
/** A round trip this much above the least one means that a queue stands on the path: its window is large enough. */
const QUEUE_MS = 20
/** How long the least round trip counts before it is measured anew: the path may have changed. */
const LEAST_FOR_MS = 10_000
/** Longest wait of a path that repeats: a longer one turns a minute's outage into two (measured in simulation). */
const MAX_TIMEOUT_MS = 16_000

/**
 * One way for frames, as its sender sees it: round trip, rate, how much may be on its way. Several streams may share it. Pure: the time is
 * given.
 */
export class RangePath {
  readonly options: RangePathOptions
  /** Bytes on their way. */
  inFlightBytes = 0
  /** Bytes that arrived, all in all. */
  deliveredBytes = 0
  /** No new data goes here until something is heard of it again. */
  silent = false
  #srttMs: number | undefined
  #varianceMs = 0
  #least: { ms: number; atMs: number } | undefined
  #nextLeastMs = Infinity
  #latestMs: number | undefined
  #rate = 0
  #window: number
  #shrunkAtMs = -Infinity
  #progressAtMs = -Infinity
  #probes = 0

  constructor(options: RangePathOptions = STREAM_PATH) {
    this.options = options
    this.#window = options.minWindowBytes
    if (options.initialRttMs !== undefined) this.#seed(options.initialRttMs)
  }

  /** Smoothed round trip in milliseconds (RFC 6298 section 2), when it was measured. */
  get srttMs(): number | undefined {
    return this.#srttMs
  }

  /** The least round trip of late, in milliseconds. */
  get leastRttMs(): number | undefined {
    return this.#least?.ms
  }

  /** Bytes per millisecond, as acknowledged; 0 = not measured. */
  get rate(): number {
    return this.#rate
  }

  get windowBytes(): number {
    return this.#window
  }

  /** When bytes that were sent on it were last acknowledged. */
  get progressAtMs(): number {
    return this.#progressAtMs
  }

  /** How much may be sent now. */
  get roomBytes(): number {
    return Math.max(0, this.#window - this.inFlightBytes)
  }

  /** How long a segment is best. */
  get segmentBytes(): number {
    const wanted = this.#rate === 0 ? FIRST_SEGMENT_BYTES : Math.max(MIN_SEGMENT_BYTES, this.#rate * SEGMENT_MS)
    return Math.min(this.options.maxSegmentBytes, this.options.reliable ? Math.floor(wanted) : Infinity)
  }

  /**
   * After how many milliseconds without an acknowledgement something counts as late. On a stream that is three round trips: of the path
   * itself, as long as its queue is shorter than that, or the loss of a path with a queue would be noticed that much later.
   */
  get timeoutMs(): number {
    const { reliable, minTimeoutMs, initialTimeoutMs } = this.options
    if (this.#srttMs === undefined) return initialTimeoutMs
    const usual = this.#srttMs + 4 * this.#varianceMs
    if (!reliable) return Math.max(minTimeoutMs, usual)
    const least = this.#least?.ms ?? this.#srttMs
    return Math.max(minTimeoutMs, Math.min(3 * this.#srttMs, Math.max(3 * least, usual)))
  }

  /** The same for something that was sent so many times: doubled each time. */
  timeoutAfter(sends: number): number {
    return Math.min(MAX_TIMEOUT_MS, this.timeoutMs * 2 ** Math.max(0, sends - 1))
  }

  /** From what age on something that was overtaken counts as lost. */
  get overtakenMs(): number {
    return (this.#srttMs ?? this.options.initialTimeoutMs) + 2 * this.#varianceMs
  }

  /** When a segment would arrive that is sent now, in milliseconds from now. */
  arrivalMs(bytes: number): number {
    const rtt = this.#least?.ms ?? this.#srttMs ?? this.options.initialTimeoutMs / 4
    const rate = this.#rate > 0 ? this.#rate : this.#window / Math.max(1, rtt)
    return rtt / 2 + (this.inFlightBytes + bytes) / rate
  }

  /** Something arrived on it. */
  heard(): void {
    this.silent = false
    this.#probes = 0
  }

  /** A round trip was measured. */
  sample(rttMs: number, nowMs: number): void {
    this.#latestMs = rttMs
    if (this.#srttMs === undefined) this.#seed(rttMs)
    else {
      this.#varianceMs += (Math.abs(this.#srttMs - rttMs) - this.#varianceMs) / 4
      this.#srttMs += (rttMs - this.#srttMs) / 8
    }
    this.#nextLeastMs = Math.min(this.#nextLeastMs, rttMs)
    if (this.#least === undefined || rttMs <= this.#least.ms) this.#least = { ms: rttMs, atMs: nowMs }
    else if (nowMs - this.#least.atMs > LEAST_FOR_MS) {
      this.#least = { ms: this.#nextLeastMs, atMs: nowMs }
      this.#nextLeastMs = Infinity
    }
  }

  /** Bytes that were sent on it were acknowledged. */
  delivered(bytes: number, placement: { readonly sentAtMs: number; readonly deliveredBefore: number }, nowMs: number): void {
    const wasFull = this.inFlightBytes >= this.#window * 0.75
    this.inFlightBytes -= bytes
    this.deliveredBytes += bytes
    this.#progressAtMs = nowMs
    // The rate as BBR estimates it (draft-ietf-ccwg-bbr, section 4.1.2): what arrived since this was sent, by the time that it took.
    const rate = (this.deliveredBytes - placement.deliveredBefore) / Math.max(1, nowMs - placement.sentAtMs)
    if (rate > this.#rate) this.#rate = rate
    else if (wasFull) this.#rate += (rate - this.#rate) / 16
    this.#adaptWindow(bytes, wasFull, nowMs)
  }

  /** Bytes left it without an acknowledgement: they were lost, or arrived by another path. */
  gone(bytes: number): void {
    this.inFlightBytes -= bytes
  }

  /** Something was lost on it. */
  lost(nowMs: number): void {
    if (nowMs - this.#shrunkAtMs < (this.#srttMs ?? 0)) return
    this.#shrunkAtMs = nowMs
    // Loss in these networks is mostly not congestion: halve, and keep a floor.
    this.#window = Math.max(this.options.minWindowBytes, this.#window / 2)
  }

  /** When a silent path is asked again, in milliseconds from the last time. */
  nextProbeMs(): number {
    return Math.min(30_000, this.timeoutMs * 2 ** Math.min(8, this.#probes++))
  }

  #seed(rttMs: number): void {
    this.#srttMs = rttMs
    this.#varianceMs = rttMs / 2
  }

  /** Grows while there is no queue on the path and the window was used; shrinks when the queue is long. */
  #adaptWindow(bytes: number, wasFull: boolean, nowMs: number): void {
    const { reliable, minWindowBytes, maxWindowBytes } = this.options
    const least = this.#least?.ms ?? 0
    const latest = this.#latestMs ?? 0
    if (!reliable || latest < 2 * least + QUEUE_MS) {
      if (wasFull) this.#window = Math.min(maxWindowBytes, this.#window + bytes)
    } else if (latest > 3 * least + 2 * QUEUE_MS && nowMs - this.#shrunkAtMs > (this.#srttMs ?? 0)) {
      this.#shrunkAtMs = nowMs
      this.#window = Math.max(minWindowBytes, this.#window * 0.85)
    }
  }
}
