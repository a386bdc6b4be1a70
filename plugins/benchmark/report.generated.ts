/**
 * Made from schemas/benchmark.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * The report of `beam benchmark --json`. Times in milliseconds, sizes in bytes; what was not measured is absent.
 */
export interface BenchmarkReport {
  /**
   * The form of this report.
   */
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
  /**
   * The networks, in the order in which they were named.
   */
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
  /**
   * Version of Node.js.
   */
  node: string
  /**
   * Operating system, release and architecture.
   */
  system: string
  /**
   * Model of the processor.
   */
  cpu: string
  /**
   * Processors that this process may use.
   */
  cores: number
  /**
   * Memory of the machine.
   */
  memoryGib: number
  /**
   * Load of the machine (1 minute); 0 on Windows.
   */
  loadBefore: number
  /**
   * The same at the end.
   */
  loadAfter: number
}
/**
 * How it was measured.
 */
export interface BenchmarkSettings {
  /**
   * Time for which each network is measured, over all rounds.
   */
  durationMs: number
  /**
   * Turns of each network that were wanted.
   */
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
/**
 * The figures of a control.
 */
export interface BenchmarkControl {
  /**
   * `direct` or `proxy`.
   */
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
  /**
   * Requests and transfers that were begun.
   */
  attempted: number
  /**
   * Those that ended in time with the right bytes.
   */
  succeeded: number
  /**
   * Those that did not end in time.
   */
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
  /**
   * Samples.
   */
  count: number
  /**
   * The shortest.
   */
  minMs: number
  /**
   * The median.
   */
  p50Ms: number
  /**
   * The 90th percentile.
   */
  p90Ms: number
  /**
   * The 99th percentile.
   */
  p99Ms: number
  /**
   * Absent with fewer than 1000 samples.
   */
  p999Ms?: number
  /**
   * The longest.
   */
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
  /**
   * Median of the rounds.
   */
  median: number
  /**
   * Smallest round.
   */
  min: number
  /**
   * Largest round.
   */
  max: number
  /**
   * The rounds.
   */
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
  /**
   * Name of the backend.
   */
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
  /**
   * How well the network hides who talks to whom.
   */
  anonymity: 'none' | 'low' | 'medium' | 'high'
  /**
   * How hard the network is to block.
   */
  censorshipResistance: 'none' | 'low' | 'medium' | 'high'
  /**
   * Whether visitors cannot learn the publisher’s IP address.
   */
  publisherIpHidden: boolean
  /**
   * Whether the publisher cannot learn a visitor’s IP address.
   */
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
  /**
   * `direct`, `relayed`, `onion`, …
   */
  kind: string
  /**
   * Nodes between the two ends.
   */
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
/**
 * Something that the network told of its progress.
 */
export interface BenchmarkPhase {
  /**
   * Which end told of it.
   */
  end: 'publisher' | 'visitor'
  /**
   * Name of the phase.
   */
  phase: string
  /**
   * When, from the publisher’s beginning.
   */
  atMs: number
  /**
   * How far, where the network says it.
   */
  percent?: number
  /**
   * The same for people.
   */
  message: string
}
/**
 * Why it could not be measured.
 */
export interface BenchmarkProblem {
  /**
   * Code of the error (docs/errors.md).
   */
  code: string
  /**
   * What happened.
   */
  message: string
  /**
   * What can be done about it.
   */
  hint?: string
}
/**
 * Whether the limits of `--max-p99` and `--min-success` are kept.
 */
export interface BenchmarkVerdict {
  /**
   * Whether all checks passed.
   */
  passed: boolean
  /**
   * One for each network and limit.
   */
  checks: BenchmarkCheck[]
}
/**
 * Whether one network keeps one limit.
 */
export interface BenchmarkCheck {
  /**
   * Name of the backend.
   */
  backend: string
  /**
   * What was limited.
   */
  what: 'p99Ms' | 'success'
  /**
   * Milliseconds, or a share from 0 to 1.
   */
  limit: number
  /**
   * Absent when nothing was measured, which does not pass.
   */
  value?: number
  /**
   * Whether it was kept.
   */
  passed: boolean
}
