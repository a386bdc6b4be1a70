import { exchange } from './exchange.ts'
import { flowDown, flowUp } from './flow.ts'
import { LatencyLog } from './latency-log.ts'
import { openLoop } from './open-loop.ts'
import type { Origin } from './origin.ts'
import { TRANSFER_SIZES, type Payload, type TransferSize } from './payload.ts'
import type { ProcessBook, Usage } from './processes.ts'
import { Tally } from './tally.ts'

/** How the time of a turn is divided. */
const SHARES = { firstByte: 0.15, transfers: 0.3, requests: 0.25, down: 0.15, up: 0.15 } as const
/** Most connections and transfers of a kind in one turn: a fast network has enough of them long before its time is up. */
const MAX_CONNECTIONS = 200
const MAX_TRANSFERS = 20

/** What is measured: a control or a network that is up. */
export interface Subject {
  readonly name: string
  /** Local port at which the origin answers. */
  readonly port: number
}

/** How a turn is measured. */
export interface RoundSetup {
  readonly origin: Origin
  readonly payload: Payload
  /** Absent where processes cannot be looked at. */
  readonly book: ProcessBook | undefined
  readonly durationMs: number
  readonly ratePerSecond: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What one turn of one subject gave. Filled as it is measured, so that an interruption leaves what there is. */
export class Round {
  readonly tally = new Tally()
  readonly firstByte = new LatencyLog()
  readonly requests = new LatencyLog()
  readonly transfers: Readonly<Record<TransferSize, LatencyLog>> = {
    '50KiB': new LatencyLog(),
    '1MiB': new LatencyLog(),
    '5MiB': new LatencyLog(),
  }
  downBytesPerSecond: number | undefined
  upBytesPerSecond: number | undefined
  cpuSecondsPerGb: number | undefined
  cpuMicrosecondsPerRequest: number | undefined
  /** The last look at the processes. */
  usage: Usage | undefined
  /** Whether it came to its end. */
  complete = false
}

/** Measures one turn into `round`. Rejects with the signal's reason when it fires. */
export async function measureRound({ name, port }: Subject, round: Round, setup: RoundSetup): Promise<void> {
  const { payload, origin, durationMs, timeoutMs, ratePerSecond, book, signal } = setup
  const { tally } = round
  const look = async (): Promise<Usage | undefined> => (round.usage = await book?.usage(name))
  const share = (what: keyof typeof SHARES): number => durationMs * SHARES[what]

  const connections = { payload, bytes: 1, timeoutMs, signal, port }
  await repeat({ ms: share('firstByte'), most: MAX_CONNECTIONS }, async () => {
    const outcome = await exchange(connections)
    tally.count(outcome)
    if (outcome.kind === 'done') round.firstByte.record(outcome.firstByteMs)
    return true
  })

  const sizes = Object.entries(TRANSFER_SIZES) as Array<[TransferSize, number]>
  let fast = true
  for (const [size, bytes] of sizes) {
    // Where a smaller file does not arrive in time, a larger one would only cost the same time again.
    if (!fast) break
    await repeat({ ms: share('transfers') / sizes.length, most: MAX_TRANSFERS }, async () => {
      const outcome = await exchange({ ...connections, bytes })
      tally.count(outcome)
      if (outcome.kind === 'done') round.transfers[size].record(outcome.totalMs)
      return (fast = outcome.kind !== 'timeout')
    })
  }

  const before = await look()
  const answered = round.requests.count
  await openLoop({ port, payload, ratePerSecond, durationMs: share('requests'), timeoutMs, latency: round.requests, tally, signal })
  const afterRequests = await look()
  const requests = round.requests.count - answered
  if (before !== undefined && afterRequests !== undefined && requests > 0) {
    round.cpuMicrosecondsPerRequest = ((afterRequests.cpuSeconds - before.cpuSeconds) * 1e6) / requests
  }

  const flow = { port, origin, payload, timeoutMs, tally, signal }
  const down = await flowDown({ ...flow, durationMs: share('down') })
  round.downBytesPerSecond = down?.bytesPerSecond
  const up = await flowUp({ ...flow, durationMs: share('up') })
  round.upBytesPerSecond = up?.bytesPerSecond
  const afterFlows = await look()
  const bytes = (down?.bytes ?? 0) + (up?.bytes ?? 0)
  if (afterRequests !== undefined && afterFlows !== undefined && bytes > 0) {
    round.cpuSecondsPerGb = (afterFlows.cpuSeconds - afterRequests.cpuSeconds) / (bytes / 1e9)
  }
  round.complete = true
}

/** Does something until its time is up or it says that it is enough; once at least. */
async function repeat(limit: { readonly ms: number; readonly most: number }, once: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + limit.ms
  for (let count = 0; count < limit.most; count += 1) {
    if (!(await once()) || performance.now() >= end) return
  }
}
