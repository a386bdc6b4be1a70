import type { Clock } from '../../core/index.ts'
import { WAKE_JUMP_MS, WAKE_POLL_MS } from './constants.ts'

/**
 * Calls `onWake` when the machine seems to have slept: the time of day ran on while timers stood still. Returns what ends the watch.
 */
export function watchWake(clock: Clock, onWake: () => void): () => void {
  let last = clock.now()
  return clock.every(WAKE_POLL_MS, () => {
    const now = clock.now()
    const sleptMs = now - last - WAKE_POLL_MS
    last = now
    if (sleptMs > WAKE_JUMP_MS) onWake()
  })
}
