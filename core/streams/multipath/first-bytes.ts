import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { PREAMBLE_BYTES, readBeginning, type Preamble } from './preamble.ts'

/** How long an ordinary visitor may be held who happens to begin like a preamble (one in 256 whose first byte is random, and so on). */
const HOLD_MS = 2_000

/** What a visitor's stream turned out to be. Unless it is `gone`, it is paused and `rest` is still to be handled. */
export type FirstBytes =
  /** Ordinary; what was read was put back. */
  | { readonly what: 'plain' }
  | { readonly what: 'foreign' }
  | { readonly what: 'preamble'; readonly preamble: Preamble; readonly rest: Buffer }
  /** It was closed before it said anything. */
  | { readonly what: 'gone' }

/**
 * Looks at the first bytes of a stream without taking anything from an ordinary one: the first byte that is no beginning of a preamble decides.
 * A visitor who waits for the service to speak keeps it waiting.
 */
export function firstBytes(stream: Duplex, clock: Clock, decide: (found: FirstBytes) => void): void {
  let held: Buffer = Buffer.alloc(0)
  let cancelHold: (() => void) | undefined
  const done = (found: FirstBytes): void => {
    cancelHold?.()
    stream.pause()
    stream.off('data', onData)
    stream.off('end', onEnd)
    stream.off('close', onClose)
    if (found.what === 'plain' && held.length > 0) stream.unshift(held)
    decide(found)
  }
  const onData = (chunk: Buffer): void => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const beginning = readBeginning(held)
    if (beginning === 'plain' || beginning === 'foreign') return done({ what: beginning })
    if (beginning === 'more') {
      cancelHold ??= clock.after(HOLD_MS, () => done({ what: 'plain' }), { unref: true })
      return
    }
    done({ what: 'preamble', preamble: beginning, rest: held.subarray(PREAMBLE_BYTES) })
  }
  const onEnd = (): void => done({ what: 'plain' })
  const onClose = (): void => done({ what: 'gone' })
  stream.on('end', onEnd)
  stream.on('close', onClose)
  stream.on('data', onData)
}
