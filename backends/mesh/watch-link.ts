import type { Clock, Link } from '../../core/index.ts'

/** How often the far end is asked. With `SILENT_MS`, and what another way takes, a failover is over within a second. */
const ASK_EVERY_MS = 200
/** How long an answer may take beside two round trips: a machine may be busy, and TCP sends a lost packet again after 200 ms and more. */
const SILENT_MS = 500

/**
 * Watches a link as long as it carries streams, and tells once when its far end falls silent. What runs on it is left alone: a network that
 * comes back within seconds loses nothing, while new streams can already go another way.
 * @param roundTripMs at least one round trip, until one was measured here
 */
export function watchLink(
  link: Pick<Link, 'answers' | 'onClose' | 'openStreams'>,
  { clock, roundTripMs, onSilent }: { readonly clock: Clock; readonly roundTripMs: number; readonly onSilent: () => void },
): () => void {
  let knownMs = roundTripMs
  let asking = false
  const stop = clock.every(ASK_EVERY_MS, () => {
    if (asking || link.openStreams === 0) return
    asking = true
    const start = clock.monotonic()
    void link.answers(SILENT_MS + 2 * knownMs).then((alive) => {
      asking = false
      if (alive) {
        knownMs = Math.min(knownMs, clock.monotonic() - start)
        return
      }
      stop()
      onSilent()
    })
  })
  link.onClose(stop)
  return stop
}
