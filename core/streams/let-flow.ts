import type { Duplex } from 'node:stream'

/**
 * Gives a stream that was paused the state of one that nobody has touched: it flows when somebody listens for data, as HTTP servers do, and not
 * before. Node does so when the last listener for `readable` has gone.
 */
export function letFlow(stream: Duplex): void {
  if (!stream.isPaused()) return
  const nothing = (): void => {}
  stream.on('readable', nothing).off('readable', nothing)
}
