import type { Http2Session } from 'node:http2'

/** Node 20.20 survives the same frames, and is left to what it does. */
const NEEDED = Number(process.versions.node.split('.')[0]) >= 22

/**
 * Has a session destroyed only after it has read what it has in hand, whoever asks for it: Node itself does when the far end sends
 * GOAWAY with an error. Node 22.23 ends the whole process when data of a stream follows in the same piece (nodejs/node#64850).
 */
export function destroyLate<T extends Http2Session>(session: T): T {
  if (!NEEDED) return session
  const destroy = session.destroy.bind(session)
  let waits = false
  session.destroy = (error, code) => {
    // An error with a number is the parser's or the system's: nothing more is read then, and nothing may be.
    if (error instanceof Error && 'errno' in error) {
      destroy(error, code)
      return
    }
    if (waits) return
    waits = true
    setImmediate(() => destroy(error, code))
  }
  return session
}
