import type { Http2Session } from 'node:http2'
import { PING_AGAIN_MS, PING_INTERVAL_MS, PING_TIMEOUT_MS } from './constants.ts'

/** A running watch. */
export interface Heartbeat {
  /** Asks now, because somebody needs the far end: on an idle link it may have gone long ago. */
  ask(): void
  stop(): void
}

/**
 * Asks a silent far end for a sign of life and reports when none comes: TCP alone notices a vanished peer after minutes. A machine that
 * was asleep asks on waking, since nothing was heard meanwhile.
 */
export function watchHeartbeat(session: Http2Session, connection: { readonly bytesRead: number }, onDead: () => void): Heartbeat {
  let heard = -1
  let askedAt = -Infinity
  let later: NodeJS.Timeout | undefined
  let deadline: NodeJS.Timeout | undefined

  function check(): void {
    const bytes = connection.bytesRead
    if (bytes === heard) send()
    else heard = bytes
  }
  function send(): void {
    if (deadline !== undefined || session.destroyed) return
    deadline = setTimeout(() => {
      // Bytes are as good a sign as the answer itself, which may wait behind them.
      const dead = connection.bytesRead === heard
      deadline = undefined
      if (dead) onDead()
    }, PING_TIMEOUT_MS)
    deadline.unref()
    // When it can't be sent (too many are unanswered already, and Node calls it off), the deadline decides.
    session.ping((error) => {
      if (error === null) clearDeadline()
    })
  }
  function askNow(): void {
    later = undefined
    askedAt = performance.now()
    heard = connection.bytesRead
    send()
  }
  function clearDeadline(): void {
    clearTimeout(deadline)
    deadline = undefined
  }

  const timer = setInterval(check, PING_INTERVAL_MS)
  timer.unref()
  return {
    ask() {
      if (later !== undefined) return
      // The answer to the question before says nothing of now.
      later = setTimeout(askNow, Math.max(0, askedAt + PING_AGAIN_MS - performance.now()))
      later.unref()
    },
    stop() {
      clearInterval(timer)
      clearTimeout(later)
      clearDeadline()
    },
  }
}

/** Whether the far end shows a sign of life within so many milliseconds: its answer, or any byte. */
export function answersWithin(session: Http2Session, connection: { readonly bytesRead: number }, ms: number): Promise<boolean> {
  if (session.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const heard = connection.bytesRead
    // After a pause of this process what has arrived is read first: it was this end that was silent.
    const timer = setTimeout(() => setImmediate(() => resolve(connection.bytesRead !== heard)), ms)
    timer.unref()
    // When it can't be sent (too many are unanswered already), the time decides.
    session.ping((error) => {
      if (error !== null) return
      clearTimeout(timer)
      resolve(true)
    })
  })
}
