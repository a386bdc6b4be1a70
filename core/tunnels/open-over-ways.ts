import type { Duplex } from 'node:stream'
import { systemClock, type Clock } from '../clock.ts'
import type { ConnectEvent } from './events.ts'
import { permittedWays } from './permitted-ways.ts'
import type { Strategy } from './strategy.ts'
import type { WayTarget } from './way.ts'
import { Ways } from './ways.ts'

/** One stream over the ways that there are. */
export interface OpenOverWays {
  readonly ways: readonly WayTarget[]
  readonly strategy: Strategy
  readonly allowExposure?: boolean
  readonly onEvent?: (event: ConnectEvent) => void
  /** Ends the attempt to open; an open stream is not touched by it. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/**
 * One stream to a service, without a local port: over the best way, or over all of them at once (`multipath`).
 * @throws as `connectTunnel` does
 */
export async function openOverWays(setup: OpenOverWays): Promise<Duplex> {
  const { ways, strategy, allowExposure = false, onEvent, signal, clock = systemClock } = setup
  const { targets, mayMove, notes } = permittedWays(ways, { strategy, allowExposure })
  const ended = new AbortController()
  const made = new Ways({
    targets,
    strategy,
    circuits: 1,
    clock,
    mayMove,
    signal: ended.signal,
    events: {
      onPath: (path, reason) => onEvent?.({ event: 'path', path, reason }),
      onMove: (from, to, reason) => onEvent?.({ event: 'failover', from: from.label, to: to.label, reason }),
      onWarning: (code, message) => onEvent?.({ event: 'warning', code, message }),
      onProgress: (backend, progress) => onEvent?.({ event: 'progress', backend, ...progress }),
    },
  })
  for (const message of notes) onEvent?.({ event: 'warning', code: 'BEAM_WARN_EXPOSURE', message })
  const onAbort = (): void => ended.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    signal?.throwIfAborted()
    if (targets.length > 1 || strategy === 'multipath') await made.reach(signal)
    const stream = await made.open()
    stream.once('close', () => ended.abort(new Error('the stream was closed')))
    return stream
  } catch (error) {
    ended.abort(error)
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
