import type { PeriodFigures } from './answers.ts'

/** An hour of the day, over all days of a period. */
export interface HourFigures {
  readonly hour: number
  readonly samples: number
  readonly peers?: number
  readonly latencyMs?: number
  readonly bytes: number
}

/** The stretches of a period by the hour of the day in which they began, in this machine's time zone. Stretches of more than an hour tell nothing. */
export function hoursOf(
  { since, until, buckets }: Pick<PeriodFigures, 'since' | 'until' | 'buckets'>,
  stretches: number,
): readonly HourFigures[] {
  if ((until - since) / stretches > 3_600_000) return []
  const hours = new Map<number, { samples: number; peers: number[]; latencies: number[]; bytes: number }>()
  for (const { at, samples, peers, latencyMs, bytes } of buckets) {
    const hour = new Date(at).getHours()
    const known = hours.get(hour) ?? { samples: 0, peers: [], latencies: [], bytes: 0 }
    hours.set(hour, known)
    known.samples += samples
    known.bytes += bytes
    if (peers !== undefined) known.peers.push(peers)
    if (latencyMs !== undefined) known.latencies.push(latencyMs)
  }
  return [...hours]
    .toSorted(([a], [b]) => a - b)
    .map(([hour, { samples, peers, latencies, bytes }]) => {
      const [meanPeers, meanLatency] = [mean(peers), mean(latencies)]
      return {
        hour,
        samples,
        bytes,
        ...(meanPeers === undefined ? {} : { peers: meanPeers }),
        ...(meanLatency === undefined ? {} : { latencyMs: meanLatency }),
      }
    })
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}
