import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { ProtocolError, TimeoutError, UnreachableError, type BeamError } from '../errors.ts'
import { REQUEST_TIMEOUT_MS } from './constants.ts'

/** What the far end answered. */
export interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * The whole answer to a request without a body of its own. It is taken in from the start: a stream that both ends have closed may lose what
 * nobody has begun to read (Node 24).
 * @throws TimeoutError, UnreachableError, ProtocolError when the body is longer than it may be; the signal's reason
 */
export function exchange(request: ClientHttp2Stream, maxBytes: number, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const late = `The far end did not answer within ${REQUEST_TIMEOUT_MS / 1000} s.`
    const timer = setTimeout(() => fail(new TimeoutError(late)), REQUEST_TIMEOUT_MS)
    const onAbort = (): void => fail(signal?.reason)
    const chunks: Buffer[] = []
    let length = 0
    let headers: IncomingHttpHeaders | undefined
    let ended = false

    function settle(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    function fail(reason: unknown): void {
      settle()
      reject(reason)
      request.close()
    }
    function finish(): void {
      if (headers === undefined || !ended) return
      settle()
      resolve({ headers, body: Buffer.concat(chunks) })
    }
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBytes) chunks.push(chunk)
      else fail(new ProtocolError(`The far end answers with more than ${maxBytes} bytes.`))
    })
    request.once('response', (answered) => {
      headers = answered
      finish()
    })
    request.once('end', () => {
      ended = !request.aborted && (request.rstCode ?? constants.NGHTTP2_NO_ERROR) === constants.NGHTTP2_NO_ERROR
      finish()
    })
    request.on('error', () => {})
    // A turn later: the answer itself may be told after the end of the stream that it came on (Node 22).
    request.once('close', () => setImmediate(() => fail(linkClosed('the answer did not come or broke off'))))
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** How long what an asker sends behind its request is read and dropped before the stream is cut off. */
const DRAIN_MS = 1_000

/** Answers a request, unless the asker has gone meanwhile. */
export function answer(h2: ServerHttp2Stream, headers: OutgoingHttpHeaders, body?: Uint8Array): void {
  if (h2.destroyed || h2.closed) return
  h2.respond(headers, { endStream: body === undefined })
  if (body !== undefined) h2.end(body)
  dropRest(h2)
}

/**
 * What else the asker sends would stay in memory as long as it likes. The early end (RFC 9113 section 8.1) comes a while after the answer:
 * sent at once it takes the answer with it (Node 22).
 */
function dropRest(h2: ServerHttp2Stream): void {
  if (h2.endAfterHeaders) return
  h2.resume()
  const timer = setTimeout(() => h2.close(constants.NGHTTP2_NO_ERROR), DRAIN_MS)
  timer.unref()
  h2.once('close', () => clearTimeout(timer))
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
