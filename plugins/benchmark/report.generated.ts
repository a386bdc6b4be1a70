/**
 * Made from schemas/benchmark.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * The report of `beam benchmark --json`. Times in milliseconds, sizes in bytes; what was not measured is absent.
 */
export interface BenchmarkReport {
  schema: 'beam.bench/1'
  /**
   * Ended before its time: it holds what was measured until then.
   */
  interrupted: boolean
  environment: BenchmarkEnvironment
  settings: BenchmarkSettings
  /**
   * The same load without any network: `direct` on loopback, `proxy` through a plain TCP proxy in this process.
   */
  controls: BenchmarkControl[]
  backends: BenchmarkNetwork[]
  /**
   * What a reader has to know beside the figures.
   */
  notes: string[]
  verdict: BenchmarkVerdict
}
/**
 * Under what the figures came about.
 */
export interface BenchmarkEnvironment {
  /**
   * When it began (ISO 8601).
   */
  date: string
  /**
   * Version of Beam.
   */
  beam: string
  node: string
  /**
   * Operating system, release and architecture.
   */
  system: string
  cpu: string
  cores: number
  memoryGib: number
  /**
   * Load of the machine (1 minute); 0 on Windows.
   */
  loadBefore: number
  loadAfter: number
}
export interface BenchmarkSettings {
  /**
   * Time for which each network is measured, over all rounds.
   */
  durationMs: number
  rounds: number
  /**
   * Rounds in which every network had its turn.
   */
  roundsDone: number
  /**
   * Requests per second of the open loop.
   */
  ratePerSecond: number
  /**
   * Limit of one request or transfer.
   */
  timeoutMs: number
}
export interface BenchmarkControl {
  name: 'direct' | 'proxy'
  figures: BenchmarkFigures
}
/**
 * `firstByte`: from a new connection to the first byte of the answer, one after the other (closed loop). `requests`: one-byte answers on kept connections at a fixed rate, from the moment at which the request was to begin (open loop; a timeout counts with the whole limit).
 */
export interface BenchmarkFigures {
  success: BenchmarkSuccess
  firstByte?: BenchmarkLatency
  requests?: BenchmarkLatency
  transfers: BenchmarkTransfers
  goodput: BenchmarkGoodput
  cost: BenchmarkCost
}
/**
 * How many requests and transfers succeeded, every byte checked.
 */
export interface BenchmarkSuccess {
  attempted: number
  succeeded: number
  timeouts: number
  /**
   * The rest, by reason.
   */
  failures: {
    [k: string]: number
  }
  /**
   * From 0 to 1.
   */
  share: number
  /**
   * Where the true share lies with 95 % confidence (Wilson).
   */
  interval: number[]
}
/**
 * A distribution of durations; `medians` are those of the rounds, in milliseconds.
 */
export interface BenchmarkLatency {
  count: number
  minMs: number
  p50Ms: number
  p90Ms: number
  p99Ms: number
  /**
   * Absent with fewer than 1000 samples.
   */
  p999Ms?: number
  maxMs: number
  /**
   * HdrHistogram V2, compressed, base64; microseconds.
   */
  hdr: string
  medians: BenchmarkSpread
}
/**
 * One value for each round, and what they come to.
 */
export interface BenchmarkSpread {
  median: number
  min: number
  max: number
  values: number[]
}
/**
 * From a new connection to the last byte of a download.
 */
export interface BenchmarkTransfers {
  '50KiB'?: BenchmarkLatency
  '1MiB'?: BenchmarkLatency
  '5MiB'?: BenchmarkLatency
}
/**
 * Bytes per second on one stream, without its first seconds.
 */
export interface BenchmarkGoodput {
  down?: BenchmarkSpread
  up?: BenchmarkSpread
}
/**
 * CPU and memory of this process (both ends of Beam, load and test service) together with the processes that it started for this network. `cpuSecondsPerGb`: CPU seconds for 10^9 bytes of goodput.
 */
export interface BenchmarkCost {
  cpuSecondsPerGb?: BenchmarkSpread
  cpuMicrosecondsPerRequest?: BenchmarkSpread
  /**
   * Largest memory of the processes started for this network.
   */
  daemonsMib?: number
  /**
   * Largest memory of this process, which all networks share.
   */
  processMib?: number
  /**
   * `pss`: shared pages count by their share. `rss`: they count fully.
   */
  memoryKind?: 'pss' | 'rss'
  /**
   * Names of the processes started for this network.
   */
  processes: string[]
  /**
   * Why CPU and memory are absent.
   */
  notMeasurable?: string
}
/**
 * One network: what it hides, how long it took to come up, what was measured; or why it could not be used.
 */
export interface BenchmarkNetwork {
  name: string
  /**
   * Version of the daemon or library.
   */
  version?: string
  hides?: BenchmarkHides
  path?: BenchmarkPath
  setup?: BenchmarkSetup
  figures?: BenchmarkFigures
  problem?: BenchmarkProblem
  /**
   * What it warned of while it came up.
   */
  warnings: string[]
}
/**
 * What the network hides, by its own statement: what milliseconds do not show.
 */
export interface BenchmarkHides {
  anonymity: 'none' | 'low' | 'medium' | 'high'
  censorshipResistance: 'none' | 'low' | 'medium' | 'high'
  publisherIpHidden: boolean
  visitorIpHidden: boolean
  /**
   * What an address tells of the publisher.
   */
  publisherReveals: string[]
  /**
   * What connecting tells of the visitor.
   */
  visitorReveals: string[]
}
/**
 * How the two ends reached each other.
 */
export interface BenchmarkPath {
  kind: string
  hops: number
}
/**
 * A cold start, once: from the moment at which the publisher began.
 */
export interface BenchmarkSetup {
  /**
   * The publisher's network was up, to a twentieth of a second.
   */
  networkUpMs?: number
  /**
   * The address was known.
   */
  addressMs?: number
  /**
   * Visitors could connect, as far as the publisher could tell.
   */
  publishedMs?: number
  /**
   * A visitor with an identity of its own, whose network also had to come up, reached it end to end.
   */
  reachableMs?: number
  /**
   * The first byte of the service was there.
   */
  firstByteMs?: number
  /**
   * What the network told of its progress.
   */
  phases: BenchmarkPhase[]
}
export interface BenchmarkPhase {
  end: 'publisher' | 'visitor'
  phase: string
  atMs: number
  percent?: number
  message: string
}
/**
 * Why it could not be measured.
 */
export interface BenchmarkProblem {
  code: string
  message: string
  hint?: string
}
/**
 * Whether the limits of `--max-p99` and `--min-success` are kept.
 */
export interface BenchmarkVerdict {
  passed: boolean
  checks: BenchmarkCheck[]
}
export interface BenchmarkCheck {
  backend: string
  what: 'p99Ms' | 'success'
  limit: number
  /**
   * Absent when nothing was measured, which does not pass.
   */
  value?: number
  passed: boolean
}
