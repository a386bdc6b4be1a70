import type { Socket } from 'node:net'
import { BackendUnavailableError, ProtocolError, TimeoutError, type Clock } from '../../../core/index.ts'

/** How a line is waited for. */
export interface ReadLineOptions {
  readonly maxBytes: number
  readonly clock: Clock
  /** No limit when absent. */
  readonly limitMs?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads exactly one line. What follows it in the same chunk may be payload already and stays in the socket, which is not read any further.
 * @throws ProtocolError (too long), TimeoutError, BackendUnavailableError (closed before), or the signal's reason
 */
export function readLine(socket: Socket, { maxBytes, clock, limitMs, signal }: ReadLineOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const cancel =
      limitMs === undefined
        ? (): void => {}
        : clock.after(limitMs, () => fail(new TimeoutError(`There was no answer within ${limitMs / 1000} s.`)))
    const onAbort = (): void => fail(signal?.reason)
    function settle(): void {
      cancel()
      signal?.removeEventListener('abort', onAbort)
      socket.off('readable', read).off('end', onEnd).off('close', onEnd).off('error', fail)
    }
    function fail(reason: unknown): void {
      settle()
      reject(reason)
    }
    function onEnd(): void {
      fail(new BackendUnavailableError('The connection was closed before the answer.'))
    }
    function read(): void {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        const end = chunk.indexOf(10)
        length += end < 0 ? chunk.length : end
        if (length > maxBytes) return fail(new ProtocolError(`There was no end of a line within ${maxBytes} bytes.`))
        if (end < 0) {
          chunks.push(chunk)
          continue
        }
        chunks.push(chunk.subarray(0, end))
        settle()
        if (end + 1 < chunk.length) socket.unshift(chunk.subarray(end + 1))
        return resolve(Buffer.concat(chunks).toString('latin1'))
      }
    }
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('readable', read).on('end', onEnd).on('close', onEnd).on('error', fail)
    if (socket.readableEnded || socket.destroyed) onEnd()
    else read()
  })
}
