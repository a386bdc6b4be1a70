import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { UnreachableError, UnsupportedError } from '../../errors.ts'
import { AnswerReader, encodePreamble, newStreamId } from './preamble.ts'

/**
 * Asks the far end of a stream whether it joins multipath streams, and measures the round trip; ends the stream.
 * @throws UnsupportedError when it answers something else or nothing, UnreachableError when the stream breaks.
 */
export function probeMultipath(inner: Duplex, options: { readonly clock: Clock; readonly limitMs: number }): Promise<number> {
  const { clock, limitMs } = options
  const id = newStreamId()
  const reader = new AnswerReader(id)
  const from = clock.monotonic()
  return new Promise((resolve, reject) => {
    // A service that waits for more of what it takes for a request says nothing.
    const cancel = clock.after(limitMs, () => settle(() => reject(noMultipath())))
    function settle(then: () => void): void {
      cancel()
      inner.off('data', onData)
      inner.off('end', onEnd)
      inner.off('close', onClose)
      inner.destroy()
      then()
    }
    const onData = (chunk: Buffer): void => {
      const found = reader.push(chunk)
      if (found === undefined) return
      const ms = clock.monotonic() - from
      settle(() => (found !== 'none' && found.accepted ? resolve(ms) : reject(noMultipath())))
    }
    const onEnd = (): void => settle(() => reject(noMultipath()))
    const onClose = (): void => settle(() => reject(new UnreachableError('The stream was broken off.', { code: 'BEAM_ERR_STREAM_RESET' })))
    inner.on('error', () => {})
    inner.on('end', onEnd)
    inner.on('close', onClose)
    inner.on('data', onData)
    inner.write(encodePreamble({ kind: 'probe', id, windowBytes: 0 }))
  })
}

function noMultipath(): UnsupportedError {
  return new UnsupportedError('The publisher does not join streams over several networks there.', {
    hint: 'Publish with --strategy multipath, or connect with --strategy fallback or load-balance.',
  })
}
