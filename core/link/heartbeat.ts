import type { Http2Session } from 'node:http2'
import { PING_INTERVAL_MS, PING_TIMEOUT_MS } from './constants.ts'

/**
 * Asks a silent far end for a sign of life and reports when none comes: TCP alone notices a vanished peer after minutes. A machine that
 * was asleep asks on waking, since nothing was heard meanwhile. Returns how to stop it.
 */
export function watchHeartbeat(session: Http2Session, connection: { readonly bytesRead: number }, onDead: () => void): () => void {
  let heard = -1
  let deadline: NodeJS.Timeout | undefined

  function check(): void {
    const bytes = connection.bytesRead
    if (bytes !== heard) {
      heard = bytes
      return
    }
    if (deadline !== undefined || session.destroyed) return
    deadline = setTimeout(() => {
      // Bytes are as good a sign as the answer itself, which may wait behind them.
      const dead = connection.bytesRead === heard
      deadline = undefined
      if (dead) onDead()
    }, PING_TIMEOUT_MS)
    deadline.unref()
    // When it can't be sent (too many are unanswered already), the deadline decides.
    session.ping(() => clearDeadline())
  }
  function clearDeadline(): void {
    clearTimeout(deadline)
    deadline = undefined
  }

  const timer = setInterval(check, PING_INTERVAL_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    clearDeadline()
  }
}
