import type { IncomingHttpHeaders } from 'node:http2'
import type { Logger } from '../logger.ts'
import type { Refusal } from './refusal.ts'

/** Decides about a request of the far end; undefined = granted. */
export type Judge = (headers: IncomingHttpHeaders) => Refusal | undefined | Promise<Refusal | undefined>

export const NOT_SERVED: Refusal = { status: 404, code: 'BEAM_ERR_NOT_FOUND', message: 'Nothing is published here.' }
const UNDECIDED: Refusal = { status: 503, code: 'BEAM_ERR_PEER_UNREACHABLE', message: 'The publisher cannot decide about this request.' }
const TOO_MANY: Refusal = { status: 503, code: 'BEAM_ERR_ACCESS_DENIED', message: 'Too many attempts at once.' }
/** Some judgements take a while (a secret is checked slowly, on purpose): at most so many of one link at a time. */
const MAX_PENDING = 64

/** Judges the requests of one link, a bounded number at a time. A judge that fails grants nothing. */
export class Judgement {
  readonly #judge: Judge | undefined
  readonly #logger: Logger
  #pending = 0

  constructor(judge: Judge | undefined, logger: Logger) {
    this.#judge = judge
    this.#logger = logger
  }

  async of(headers: IncomingHttpHeaders): Promise<Refusal | undefined> {
    if (this.#judge === undefined) return NOT_SERVED
    if (this.#pending >= MAX_PENDING) return TOO_MANY
    const verdict = this.#judge(headers)
    if (!(verdict instanceof Promise)) return verdict
    this.#pending++
    try {
      return await verdict
    } catch (error) {
      // A secret cannot be checked any more when the connection that it is bound to has gone.
      this.#logger.debug('no judgement', { error: String(error) })
      return UNDECIDED
    } finally {
      this.#pending--
    }
  }
}
