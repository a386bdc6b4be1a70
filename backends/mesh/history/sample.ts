/** What is noted of the node once a minute. Figures only: no keys, names or addresses. */
export interface Sample {
  /** When, in milliseconds since the epoch. */
  readonly at: number
  /** How long the node was up since the sample before, in milliseconds. */
  readonly upMs: number
  readonly peers: number
  readonly inbound: number
  /** Median of the peers' round trips, when one was measured. */
  readonly latencyMs?: number
  /** What was done for others since the sample before. */
  readonly streams: number
  readonly bytes: number
  readonly refused: number
  /** Nodes that gossip told of lately. */
  readonly heard: number
  /** Whether a source of discovery beyond this machine was ready. */
  readonly discoverable: boolean
}

/** One stretch of a period. What was not measured in it is absent. */
export interface Bucket {
  /** Its beginning, in milliseconds since the epoch. */
  readonly at: number
  readonly samples: number
  readonly upMs: number
  readonly peers?: number
  readonly latencyMs?: number
  readonly discoverable?: number
  readonly heard?: number
  readonly streams: number
  readonly bytes: number
  readonly refused: number
}

/** What is known of a period. */
export interface Period {
  readonly since: number
  readonly until: number
  readonly samples: number
  /** Since when there are samples, of any period. */
  readonly oldest?: number
  readonly upMs: number
  readonly streams: number
  readonly bytes: number
  readonly refused: number
  readonly peers?: { readonly mean: number; readonly least: number; readonly most: number }
  readonly latencyMs?: { readonly mean: number; readonly least: number; readonly most: number }
  /** Share of the samples in which a source of discovery was ready, 0 to 1. */
  readonly discoverable?: number
  readonly buckets: readonly Bucket[]
}
