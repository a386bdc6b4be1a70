import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'

/** What one end of a stream does, step by step. */
export type Step =
  | { readonly do: 'write'; readonly bytes: number }
  | { readonly do: 'end' | 'reset' | 'pause' | 'resume' }
  | { readonly do: 'wait'; readonly ms: number }

/** What became of one end. */
export interface Outcome {
  /** Bytes handed to `write` before the end or reset. */
  written: number
  ended: boolean
  reset: boolean
  /** Bytes that came in, and whether each was the right one. */
  received: number
  intact: boolean
  sawEnd: boolean
  sawError: boolean
  closed: boolean
}

const write = fc.record({
  do: fc.constant('write' as const),
  bytes: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 6 << 20 }) },
  ),
})
const rest = fc.oneof(
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 12 }) }),
)
const last = fc.record({
  do: fc.oneof({ weight: 3, arbitrary: fc.constant('end' as const) }, { weight: 1, arbitrary: fc.constant('reset' as const) }),
})

const busy = fc.array(fc.oneof(write, rest), { maxLength: 8 })
const END: Step = { do: 'end' }
const RESET: Step = { do: 'reset' }

/**
 * What two ends do, of which one resets or none does. The other one does not end its direction before a reset: Node cannot tell a reset
 * from an end on a socket that is paused and half-closed.
 */
export const schedulesOfSockets: fc.Arbitrary<readonly [readonly Step[], readonly Step[]]> = fc
  .tuple(busy, busy, fc.constantFrom('none', 'first', 'second'))
  .map(([first, second, who]) => {
    if (who === 'none')
      return [
        [...first, END],
        [...second, END],
      ]
    return who === 'first' ? [[...first, RESET], second] : [first, [...second, RESET]]
  })

/** Writes, pauses and waits in any order, then an end or a reset; sometimes a reset after the end. */
export const schedule: fc.Arbitrary<readonly Step[]> = fc
  .tuple(busy, last, fc.array(rest, { maxLength: 2 }), fc.option(fc.constant({ do: 'reset' as const }), { freq: 6 }))
  .map(([steps, final, more, late]) => [...steps, final, ...more, ...(late === null ? [] : [late])])

/** Every byte tells its place, so that one that is lost, doubled or moved shows. */
const PERIOD = 65_521
const pattern = Buffer.alloc(PERIOD + (6 << 20))
for (let i = 0; i < pattern.length; i++) pattern[i] = ((i % PERIOD) * 2_654_435_761) >>> 13

function bytesAt(position: number, length: number): Buffer {
  return pattern.subarray(position % PERIOD, (position % PERIOD) + length)
}

/** Lets one end act. Resolves when it is closed, or after the time limit. */
export async function act(stream: Duplex, steps: readonly Step[], reset: (stream: Duplex) => void, limitMs = 8000): Promise<Outcome> {
  const outcome: Outcome = {
    written: 0,
    ended: false,
    reset: false,
    received: 0,
    intact: true,
    sawEnd: false,
    sawError: false,
    closed: false,
  }
  const closed = new Promise<void>((resolve) => {
    stream.on('close', () => {
      outcome.closed = true
      resolve()
    })
  })
  stream.on('error', () => (outcome.sawError = true))
  stream.on('end', () => {
    // A socket that was reset while it was paused seems to have ended, until something is written.
    if (stream instanceof Socket && stream.writable) stream.write('', (error) => (outcome.sawEnd = !error))
    else outcome.sawEnd = true
  })
  stream.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 1 << 20) {
      const part = chunk.subarray(at, at + (1 << 20))
      if (!part.equals(bytesAt(outcome.received, part.length))) outcome.intact = false
      outcome.received += part.length
    }
  })
  for (const step of steps) {
    if (step.do === 'wait') await wait(step.ms)
    else if (step.do === 'pause') stream.pause()
    else if (step.do === 'resume') stream.resume()
    else if (stream.destroyed) break
    else if (step.do === 'write') {
      for (let left = step.bytes; left > 0; left -= 1 << 20) {
        const part = bytesAt(outcome.written, Math.min(left, 1 << 20))
        stream.write(Buffer.from(part))
        outcome.written += part.length
      }
    } else if (step.do === 'end') {
      outcome.ended = true
      stream.end()
    } else {
      outcome.reset = true
      reset(stream)
    }
  }
  stream.resume()
  await Promise.race([closed, wait(limitMs, undefined, { ref: false })])
  return outcome
}

/** What must hold between what one end did and what the other one saw; undefined when it does, else what is wrong. */
export function broken(sender: Outcome, receiver: Outcome): string | undefined {
  if (!receiver.intact) return 'a byte was changed, lost or moved'
  if (receiver.received > sender.written) return 'more came than was sent'
  if (receiver.sawEnd && !sender.ended) return 'a reset became an end'
  if (receiver.sawEnd && receiver.received !== sender.written) return 'an end came before its bytes'
  if (!sender.closed || !receiver.closed) return 'a stream was never closed'
  const calm = !sender.reset && !receiver.reset
  if (calm && (!receiver.sawEnd || receiver.sawError || sender.sawError)) return 'an end became a reset'
  return undefined
}
