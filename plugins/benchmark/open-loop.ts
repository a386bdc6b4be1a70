import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { exchange } from './exchange.ts'
import type { LatencyLog } from './latency-log.ts'
import type { Payload } from './payload.ts'
import type { Tally } from './tally.ts'

/** Requests under way at a time; one that would be more counts as a timeout. A network that is this far behind does not keep the rate. */
const MAX_UNDER_WAY = 512

/** A fixed schedule of requests. */
export interface OpenLoop {
  readonly port: number
  readonly payload: Payload
  readonly ratePerSecond: number
  readonly durationMs: number
  readonly timeoutMs: number
  /** Gets each latency, from the moment at which the request was to begin. A timeout counts with the whole limit. */
  readonly latency: LatencyLog
  readonly tally: Tally
  readonly signal: AbortSignal
}

/** The times of the schedule, in milliseconds from its beginning. */
export function schedule(ratePerSecond: number, durationMs: number): number[] {
  const count = Math.max(1, Math.floor((durationMs / 1_000) * ratePerSecond))
  return Array.from({ length: count }, (_, index) => (index * 1_000) / ratePerSecond)
}

/**
 * Sends requests at fixed times whether or not the ones before have been answered, and measures each from its time: a stall is paid for by
 * all requests that fall into it (no coordinated omission). Connections are kept and reused as browsers do. Resolves when the last one has
 * ended; rejects with the signal's reason.
 */
export async function openLoop({ port, payload, ratePerSecond, durationMs, timeoutMs, latency, tally, signal }: OpenLoop): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const start = performance.now()
  const underWay = new Set<Promise<void>>()
  try {
    for (const at of schedule(ratePerSecond, durationMs)) {
      const startedAt = start + at
      // Timers end up to a millisecond before their time, too.
      for (let early = startedAt - performance.now(); early > 0; early = startedAt - performance.now()) {
        await delay(Math.ceil(early), undefined, { signal })
      }
      signal.throwIfAborted()
      if (underWay.size >= MAX_UNDER_WAY) {
        tally.count({ kind: 'timeout' })
        latency.record(timeoutMs)
        continue
      }
      const one = exchange({ port, payload, bytes: 1, timeoutMs, agent, startedAt, signal }).then(
        (outcome) => {
          tally.count(outcome)
          if (outcome.kind === 'done') latency.record(outcome.totalMs)
          if (outcome.kind === 'timeout') latency.record(timeoutMs)
        },
        () => {}, // The signal has fired, which the loop sees by itself.
      )
      underWay.add(one)
      void one.then(() => underWay.delete(one))
    }
    await Promise.all(underWay)
    signal.throwIfAborted()
  } catch (error) {
    await Promise.all(underWay)
    throw signal.aborted ? signal.reason : error
  } finally {
    agent.destroy()
  }
}
