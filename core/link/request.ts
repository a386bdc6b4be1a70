import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isBeamError, ProtocolError, TimeoutError, UnreachableError, type BeamError } from '../errors.ts'
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

/** The body of an answer. @throws ProtocolError when it is longer than it may be; TimeoutError, UnreachableError, the signal's reason */
export async function bodyOf(request: ClientHttp2Stream, maxBytes: number, signal?: AbortSignal): Promise<Buffer> {
  const late = new TimeoutError(`The far end did not finish its answer within ${REQUEST_TIMEOUT_MS / 1000} s.`)
  const timer = setTimeout(() => request.destroy(late), REQUEST_TIMEOUT_MS)
  const onAbort = (): void => void request.destroy(new Error('no longer wanted'))
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    signal?.throwIfAborted()
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of request) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > maxBytes) throw new ProtocolError(`The far end answers with more than ${maxBytes} bytes.`)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    signal?.throwIfAborted()
    throw isBeamError(error) ? error : linkClosed('the answer broke off', error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Answers a request, unless the asker has gone meanwhile. */
export function answer(h2: ServerHttp2Stream, headers: OutgoingHttpHeaders, body?: Uint8Array): void {
  if (h2.destroyed || h2.closed) return
  h2.respond(headers, { endStream: body === undefined })
  if (body !== undefined) h2.end(body)
  // What else the asker sends is not read, and would stay in memory as long as it likes (the early end: RFC 9113 section 8.1).
  if (!h2.endAfterHeaders) h2.close(constants.NGHTTP2_NO_ERROR)
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
