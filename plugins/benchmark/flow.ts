import { randomUUID } from 'node:crypto'
import { request, type ClientRequest } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Origin } from './origin.ts'
import type { Payload } from './payload.ts'
import type { Tally } from './tally.ts'

/** Part of a flow that is not counted, and its longest length in milliseconds: connections begin slowly. */
const WARM_UP_SHARE = 0.2
const MAX_WARM_UP_MS = 2_000
/** How often it is looked whether the first byte has come. */
const LOOK_MS = 5

/** One flow of bytes for a while. */
export interface Flow {
  readonly port: number
  readonly origin: Origin
  readonly payload: Payload
  /** From the first byte to the end. */
  readonly durationMs: number
  /** Longest wait for the first byte. */
  readonly timeoutMs: number
  readonly tally: Tally
  readonly signal: AbortSignal
}

/** What a flow gave. */
export interface Goodput {
  readonly bytesPerSecond: number
  /** All bytes, those of the warm-up too. */
  readonly bytes: number
}

/** Bytes per second that the visitor gets on one stream; undefined when nothing came or the stream broke. */
export function flowDown(flow: Flow): Promise<Goodput | undefined> {
  let bytes = 0
  const sent = request({ host: '127.0.0.1', port: flow.port, path: '/flow', agent: false }, (response) => {
    response.on('data', (chunk: Buffer) => (bytes += chunk.length))
    response.on('error', () => sent.destroy())
  })
  sent.end()
  return measure(flow, sent, () => bytes)
}

/** Bytes per second that the service gets on one stream, counted there. */
export function flowUp(flow: Flow): Promise<Goodput | undefined> {
  const id = randomUUID()
  const sent = request({ host: '127.0.0.1', port: flow.port, path: `/flow/${id}`, method: 'POST', agent: false })
  Readable.from(flow.payload.chunks(), { objectMode: false }).pipe(sent)
  return measure(flow, sent, () => flow.origin.received(id))
}

async function measure(
  { durationMs, timeoutMs, tally, signal }: Flow,
  sent: ClientRequest,
  bytes: () => number,
): Promise<Goodput | undefined> {
  let failure: string | undefined
  sent.on('error', (error: NodeJS.ErrnoException) => (failure ??= error.code ?? 'broken off'))
  sent.on('close', () => (failure ??= 'broken off'))
  try {
    const asked = performance.now()
    while (bytes() === 0 && failure === undefined) {
      if (performance.now() - asked > timeoutMs) {
        tally.count({ kind: 'timeout' })
        return undefined
      }
      await delay(LOOK_MS, undefined, { signal })
    }
    const firstByteMs = performance.now() - asked
    const warmUpMs = Math.min(MAX_WARM_UP_MS, durationMs * WARM_UP_SHARE)
    await delay(warmUpMs, undefined, { signal })
    const [from, before] = [performance.now(), bytes()]
    await delay(durationMs - warmUpMs, undefined, { signal })
    const [to, after] = [performance.now(), bytes()]
    if (failure !== undefined) {
      tally.count({ kind: 'failed', reason: failure })
      return undefined
    }
    tally.count({ kind: 'done', firstByteMs, totalMs: performance.now() - asked })
    return { bytesPerSecond: (after - before) / ((to - from) / 1_000), bytes: after }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    sent.destroy()
  }
}
