import { createHash } from 'node:crypto'
import { request, type Agent } from 'node:http'
import type { Payload } from './payload.ts'
import type { Outcome } from './tally.ts'

/** One download of the first bytes of the payload. */
export interface Exchange {
  /** Local port that is the service, directly or through a network. */
  readonly port: number
  readonly payload: Payload
  readonly bytes: number
  /** Limit of time, in milliseconds from `startedAt`. */
  readonly timeoutMs: number
  /** Keeps connections for later requests. Default: a new connection, closed afterwards. */
  readonly agent?: Agent
  /** When it was to begin (`performance.now()`): its times count from there. Default: now. */
  readonly startedAt?: number
  readonly signal: AbortSignal
}

/**
 * Asks for bytes and checks every one of them. Never rejects but with the signal's reason.
 */
export function exchange({ port, payload, bytes, timeoutMs, agent, startedAt = performance.now(), signal }: Exchange): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let firstByteMs: number | undefined
    const elapsed = (): number => performance.now() - startedAt
    const finish = (outcome: Outcome | undefined): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (outcome === undefined) reject(signal.reason)
      else resolve(outcome)
    }
    const onAbort = (): void => {
      finish(undefined)
      sent.destroy()
    }
    const timer = setTimeout(
      () => {
        finish({ kind: 'timeout' })
        sent.destroy()
      },
      Math.max(0, timeoutMs - elapsed()),
    )
    const fail = (error: NodeJS.ErrnoException): void => finish({ kind: 'failed', reason: error.code ?? 'broken off' })
    const sent = request({ host: '127.0.0.1', port, path: `/bytes/${bytes}`, agent: agent ?? false }, (response) => {
      const hash = createHash('sha256')
      response.on('data', (chunk: Buffer) => {
        firstByteMs ??= elapsed()
        hash.update(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        const right = response.statusCode === 200 && hash.digest('hex') === payload.digest(bytes)
        finish(
          right ? { kind: 'done', firstByteMs: firstByteMs ?? elapsed(), totalMs: elapsed() } : { kind: 'failed', reason: 'wrong bytes' },
        )
      })
    })
    sent.on('error', fail)
    sent.end()
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
