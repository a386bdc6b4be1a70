/** What a path is worth: pure arithmetic over measured figures. */

/** What was measured on a path; absent = not measured. */
export interface PathFigures {
  /** Milliseconds until the far end answers, recent measurements counting more. */
  readonly latencyMs?: number
  /** Bytes per second that it carried. */
  readonly bytesPerSecond?: number
  /** Share of attempts that worked, from 0 to 1. */
  readonly reliability?: number
  /** Share of the latency that is waiting in queues, from 0 to 1: what stands above the least latency. */
  readonly congestion?: number
}

/** How much each figure counts. */
const WEIGHTS = { latency: 0.4, bandwidth: 0.3, reliability: 0.2, congestion: -0.1 } as const

/**
 * Scores of paths beside one another, from -0.1 to 0.9, higher is better. Latency and bandwidth count relative to the best of these paths;
 * the other two are shares already. What was not measured on a path counts as the mean of the others, so that it decides nothing.
 */
export function scores(paths: readonly PathFigures[]): number[] {
  const least = Math.min(...paths.map(({ latencyMs }) => latencyMs ?? Infinity))
  const most = Math.max(...paths.map(({ bytesPerSecond }) => bytesPerSecond ?? 0))
  // Below a millisecond the clock of the machine decides, not the path.
  const latency = filled(paths.map(({ latencyMs }) => (latencyMs === undefined ? undefined : Math.max(1, least) / Math.max(1, latencyMs))))
  const bandwidth = filled(
    paths.map(({ bytesPerSecond }) => (bytesPerSecond === undefined || most === 0 ? undefined : bytesPerSecond / most)),
  )
  const reliability = filled(paths.map((path) => path.reliability))
  const congestion = filled(
    paths.map((path) => path.congestion),
    0,
  )
  return paths.map(
    (_, index) =>
      WEIGHTS.latency * (latency[index] ?? 1) +
      WEIGHTS.bandwidth * (bandwidth[index] ?? 1) +
      WEIGHTS.reliability * (reliability[index] ?? 1) +
      WEIGHTS.congestion * (congestion[index] ?? 0),
  )
}

function filled(shares: ReadonlyArray<number | undefined>, otherwise = 1): number[] {
  const known = shares.filter((share) => share !== undefined)
  const mean = known.length === 0 ? otherwise : known.reduce((sum, share) => sum + share, 0) / known.length
  return shares.map((share) => share ?? mean)
}
