import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { TimeoutError, UnreachableError } from '../../errors.ts'
import { MemoryStream } from '../memory-stream.ts'
import { resetStream } from '../reset.ts'
import { AnswerReader, encodePreamble, newStreamId } from './preamble.ts'

/** How long an answer is waited for, and what ends the wait. */
export interface OpenAnswered {
  readonly clock: Clock
  readonly limitMs: number
  readonly signal: AbortSignal
}

/**
 * Has the far end of a stream say that it is there before anything else goes over it. Where nothing is heard, nothing of the visitor was sent,
 * so that it can be sent another way. The far end is a Beam that is known to understand it. A failure resets the stream.
 * @throws TimeoutError, UnreachableError, the signal's reason
 */
export function openAnswered(inner: Duplex, { clock, limitMs, signal }: OpenAnswered): Promise<Duplex> {
  const id = newStreamId()
  const reader = new AnswerReader(id)
  const heard: Buffer[] = []
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      heard.push(chunk)
      const found = reader.push(chunk)
      if (found === undefined) return
      if (found === 'none' || found.verdict !== 'yes') return fail(new UnreachableError('The publisher does not take the stream.'))
      settle()
      inner.pause()
      if (found.rest.length > 0) inner.unshift(found.rest)
      resolve(inner)
    }
    const onEnd = (): void => {
      // The service spoke first, and was done before it could be asked anything: that is its whole answer.
      settle()
      resolve(endedStream(heard))
    }
    const onClose = (): void =>
      fail(new UnreachableError('The publisher broke the stream off before it answered.', { cause: inner.errored }))
    const onAbort = (): void => fail(signal.reason as Error)
    const cancel = clock.after(limitMs, () =>
      fail(new TimeoutError(`The publisher did not answer within ${limitMs / 1_000} s.`, { code: 'BEAM_ERR_PEER_UNREACHABLE' })),
    )
    function settle(): void {
      cancel()
      signal.removeEventListener('abort', onAbort)
      inner.off('data', onData)
      inner.off('end', onEnd)
      inner.off('close', onClose)
    }
    function fail(error: Error): void {
      settle()
      resetStream(inner, error)
      reject(error)
    }
    inner.on('error', () => {})
    inner.on('end', onEnd)
    inner.on('close', onClose)
    inner.on('data', onData)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) return onAbort()
    inner.write(encodePreamble({ kind: 'single', id, windowBytes: 0 }))
  })
}

/** A stream whose far end said this and ended. */
function endedStream(said: readonly Buffer[]): Duplex {
  const [far, near] = MemoryStream.pair()
  far.on('error', () => {}).resume()
  far.end(Buffer.concat(said))
  return near
}
