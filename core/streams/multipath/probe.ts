import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { TimeoutError, UnreachableError, UnsupportedError } from '../../errors.ts'
import { AnswerReader, encodePreamble, newStreamId } from './preamble.ts'

/** What the publisher's end says of itself. */
export interface FarEnd {
  /** The round trip, in milliseconds. */
  readonly ms: number
  /** Whether it joins streams over several networks. */
  readonly joins: boolean
}

/** A service that reads lines answers to what it takes for one, which tells at once that it is no Beam. */
const END_OF_LINE = Buffer.from('\r\n\r\n')

/**
 * Asks the far end of a stream whether it is a Beam and joins multipath streams, and measures the round trip; ends the stream. Beam answers
 * without the service.
 * @throws UnsupportedError when it answers something else, or (`retry: 'later'`) ends without a word, TimeoutError when it says nothing, UnreachableError when the stream breaks.
 */
export function askFarEnd(inner: Duplex, options: { readonly clock: Clock; readonly limitMs: number }): Promise<FarEnd> {
  const { clock, limitMs } = options
  const id = newStreamId()
  const reader = new AnswerReader(id)
  const from = clock.monotonic()
  let heard = false
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => {
      const late = new TimeoutError(`Nothing came back within ${limitMs / 1_000} s.`, { code: 'BEAM_ERR_PEER_UNREACHABLE' })
      settle(() => reject(heard ? noBeam() : late), late)
    })
    function settle(then: () => void, error?: Error): void {
      cancel()
      inner.off('data', onData)
      inner.off('end', onEnd)
      inner.off('close', onClose)
      inner.destroy(error)
      then()
    }
    const onData = (chunk: Buffer): void => {
      heard = true
      const found = reader.push(chunk)
      if (found === undefined) return
      const ms = clock.monotonic() - from
      settle(() => (found === 'none' ? reject(noBeam()) : resolve({ ms, joins: found.verdict === 'yes' })))
    }
    const onEnd = (): void => settle(() => reject(heard ? noBeam() : silent()))
    const onClose = (): void => settle(() => reject(new UnreachableError('The stream was broken off.', { code: 'BEAM_ERR_STREAM_RESET' })))
    inner.on('error', () => {})
    inner.on('end', onEnd)
    inner.on('close', onClose)
    inner.on('data', onData)
    inner.write(Buffer.concat([encodePreamble({ kind: 'probe', id, windowBytes: 0 }), END_OF_LINE]))
  })
}

/** What hangs up on a question it does not understand is no Beam; and so may end a path that breaks at the wrong moment. */
function silent(): UnsupportedError {
  return new UnsupportedError('Something hangs up there without a word.', { retry: 'later' })
}

function noBeam(): UnsupportedError {
  return new UnsupportedError('Something else than Beam answers there.')
}
