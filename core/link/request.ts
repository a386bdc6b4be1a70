import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { ProtocolError, TimeoutError, UnreachableError, type BeamError } from '../errors.ts'
import { REQUEST_TIMEOUT_MS } from './constants.ts'

/** The headers of the answer to a request without a body. @throws TimeoutError, UnreachableError, the signal's reason */
export function responseOf(request: ClientHttp2Stream, signal?: AbortSignal): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => fail(new TimeoutError(`The far end did not answer within ${REQUEST_TIMEOUT_MS / 1000} s.`)),
      REQUEST_TIMEOUT_MS,
    )
    const onAbort = (): void => fail(signal?.reason)
    function settle(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    function fail(reason: unknown): void {
      settle()
      reject(reason)
      request.close()
    }
    request.once('response', (headers) => {
      settle()
      resolve(headers)
    })
    request.on('error', () => {})
    request.once('close', () => {
      settle()
      reject(linkClosed('no answer came'))
    })
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
    if (!request.isPaused()) request.resume()
  })
}

/** The body of an answer. @throws ProtocolError when it is longer than it may be. */
export async function bodyOf(request: ClientHttp2Stream, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > maxBytes) throw new ProtocolError(`The far end answers with more than ${maxBytes} bytes.`)
  }
  return Buffer.concat(chunks)
}

/** Answers a request, unless the asker has gone meanwhile. */
export function answer(h2: ServerHttp2Stream, headers: OutgoingHttpHeaders, body?: Uint8Array): void {
  if (h2.destroyed || h2.closed) return
  h2.respond(headers, { endStream: body === undefined })
  if (body !== undefined) h2.end(body)
}

/** The error of a stream or request whose link is gone. */
export function linkClosed(reason: string | undefined, cause?: unknown): BeamError {
  const why = reason === undefined ? '' : `: ${reason}`
  return new UnreachableError(`The link to the far end ended${why}.`, { code: 'BEAM_ERR_LINK_CLOSED', retry: 'now', cause })
}

/** The error of a stream that the far end broke off. */
export function streamReset(message: string, cause?: Error): BeamError {
  return new UnreachableError(message, { code: 'BEAM_ERR_STREAM_RESET', retry: 'now', cause })
}
