/** A distribution of durations, in milliseconds. */
export interface Latency {
  readonly count: number
  readonly minMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Figures of one run on one machine; reported and never judged. */
export interface Measurements {
  readonly latency: {
    /** From the call of `dial` to the first byte of the service. */
    readonly connect: Latency
    /** 64 bytes there and back on an open stream. */
    readonly roundTrip: Latency
  }
  readonly throughput: {
    /** Bytes per second from the service to the visitor, on one stream. */
    readonly downloadBytesPerSecond: number
    /** Bytes per second from the visitor to the service, on one stream. */
    readonly uploadBytesPerSecond: number
  }
}
