import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { ERROR_CODES, isBeamError, ProtocolError, TimeoutError, type ErrorCode } from '../errors.ts'
import { ASK_PATH, MAX_ASKED, MAX_ASK_BYTES, REQUEST_TIMEOUT_MS } from './constants.ts'
import { refusalHeaders, type Refusal } from './refusal.ts'
import { answer } from './request.ts'

/** A small request of the far end: a question of the mesh, not a stream. */
export interface Asked {
  /** What is asked, below `/beam/ask/`: `gossip`, `peers`, … */
  readonly topic: string
  /** At most 64 KiB. */
  readonly body: Buffer
  /** The key that the far end proved. */
  readonly peerKey: Buffer
  /** Its network address with the port, when the link runs over a socket. Sensitive. */
  readonly remoteAddress?: string | undefined
}

/** Answers a small request with at most 64 KiB. What it throws becomes a refusal with the error's code. */
export type Serve = (asked: Asked) => Uint8Array | Promise<Uint8Array>

const BUSY: Refusal = { status: 503, code: 'BEAM_ERR_RATE_LIMITED', message: 'Too many requests at once.' }

/** Takes the small requests of one link, a bounded number at a time. */
export class AskedRequests {
  readonly #serve: Serve
  readonly #from: () => Pick<Asked, 'peerKey' | 'remoteAddress'>
  #open = 0

  constructor(serve: Serve, from: () => Pick<Asked, 'peerKey' | 'remoteAddress'>) {
    this.#serve = serve
    this.#from = from
  }

  /** Answers, or refuses; never rejects. */
  async take(h2: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    if (this.#open >= MAX_ASKED) {
      answer(h2, refusalHeaders(BUSY))
      return
    }
    this.#open++
    try {
      const body = await bodyOf(h2)
      const topic = (headers[':path'] ?? '').slice(ASK_PATH.length)
      const said = await this.#serve({ topic, body, ...this.#from() })
      if (said.length > MAX_ASK_BYTES) throw new ProtocolError(`The answer to ${topic} has ${said.length} bytes.`)
      answer(h2, { ':status': 200 }, said)
    } catch (error) {
      answer(h2, refusalHeaders(refusalFor(error)))
    } finally {
      this.#open--
    }
  }
}

function refusalFor(error: unknown): Refusal {
  // What failed inside is nobody else's business.
  if (!isBeamError(error) || !Object.hasOwn(ERROR_CODES, error.code))
    return { status: 500, code: 'BEAM_ERR_INTERNAL', message: ERROR_CODES.BEAM_ERR_INTERNAL }
  return { status: error.code === 'BEAM_ERR_RATE_LIMITED' ? 429 : 400, code: error.code as ErrorCode, message: error.message }
}

/** The body of a request, within its limits of size and time. */
function bodyOf(h2: ServerHttp2Stream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => reject(new TimeoutError('The request did not come to its end.')), REQUEST_TIMEOUT_MS)
    h2.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > MAX_ASK_BYTES) reject(new ProtocolError(`The request has more than ${MAX_ASK_BYTES} bytes.`))
      else chunks.push(chunk)
    })
    h2.once('end', () => resolve(Buffer.concat(chunks)))
    h2.once('close', () => {
      clearTimeout(timer)
      reject(new ProtocolError('The request broke off.'))
    })
  })
}
