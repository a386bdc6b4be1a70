import type { Clock, Link } from '../../core/index.ts'

/** Twice this, and a link that carries streams counts as silent: within a second. */
const SILENT_MS = 500

/**
 * Watches a link as long as it carries streams, and tells once when its far end falls silent. What runs on it is left alone: a network that
 * comes back within seconds loses nothing, while new streams can already go another way.
 * @param roundTripMs at least one round trip: nothing answers sooner
 */
export function watchLink(
  link: Pick<Link, 'answers' | 'onClose' | 'openStreams'>,
  { clock, roundTripMs, onSilent }: { readonly clock: Clock; readonly roundTripMs: number; readonly onSilent: () => void },
): () => void {
  const waitMs = Math.max(SILENT_MS, roundTripMs)
  let asking = false
  const stop = clock.every(SILENT_MS, () => {
    if (asking || link.openStreams === 0) return
    asking = true
    void link.answers(waitMs).then((alive) => {
      asking = false
      if (alive) return
      stop()
      onSilent()
    })
  })
  link.onClose(stop)
  return stop
}
