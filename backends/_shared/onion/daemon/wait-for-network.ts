import { networkInterfaces } from 'node:os'
import { BackendUnavailableError, type Clock, type Progress } from '../../../../core/index.ts'
import type { Flavour } from '../flavour.ts'
import { until } from '../until.ts'
import type { NetworkState, Obstacle } from './network-state.ts'
import type { Supervisor } from './supervisor.ts'

/** How long joining may stand still before the user is told why, as far as it is known. */
const TELL_AFTER_MS = 20_000

/** Obstacles that the user has to remove. */
const AT_ONCE: ReadonlySet<Obstacle['kind']> = new Set(['clock', 'no-network', 'transport'])

/** What waiting needs. */
export interface NetworkWait {
  readonly supervisor: Supervisor
  readonly flavour: Flavour
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How long joining may stand still before it is given up; undefined = never. */
  readonly stallMs: number | undefined
  readonly onProgress?: (progress: Progress) => void
  /** Told once, when joining stands still: why, and what can be done. */
  readonly onStalled?: (message: string) => void
}

/**
 * Waits until the daemon has joined its network, and says how far it is.
 * @throws BackendUnavailableError (`BEAM_ERR_BOOTSTRAP`) when it stands still for too long; the signal's reason
 */
export function waitForNetwork({ supervisor, flavour, clock, signal, stallMs, onProgress, onStalled }: NetworkWait): Promise<void> {
  return until(signal, (resolve, reject) => {
    let shown = ''
    let furthest = -1
    let toldStall = false
    let cancelTell = (): void => {}
    let cancelStall = (): void => {}
    const tell = (): void => {
      if (toldStall) return
      toldStall = true
      onStalled?.(stalled(supervisor, flavour))
    }
    const look = (): void => {
      const { network, session } = supervisor
      if (session !== undefined && network.up) return resolve()
      const progress = bootstrapProgress(network, supervisor, flavour)
      if (progress.message !== shown) onProgress?.(progress)
      shown = progress.message
      // What does not mend itself is said at once.
      if (network.obstacle !== undefined && AT_ONCE.has(network.obstacle.kind)) tell()
      if (network.bootstrap.percent <= furthest && session !== undefined) return
      furthest = network.bootstrap.percent
      cancelTell()
      cancelStall()
      cancelTell = clock.after(TELL_AFTER_MS, tell)
      if (stallMs !== undefined) cancelStall = clock.after(stallMs, () => reject(gaveUp(supervisor, flavour, stallMs)))
    }
    const unsubscribe = supervisor.subscribe(({ type }) => {
      if (type === 'network' || type === 'session' || type === 'lost') look()
    })
    look()
    return () => {
      unsubscribe()
      cancelTell()
      cancelStall()
    }
  })
}

/** How far the daemon is, in its own words. */
function bootstrapProgress(
  { bootstrap, obstacle }: NetworkState,
  supervisor: Pick<Supervisor, 'session' | 'message'>,
  { title }: Flavour,
): Progress {
  if (supervisor.session === undefined)
    return {
      phase: 'daemon',
      message: `Starting the ${title} daemon${supervisor.message === undefined ? '' : ` again: ${supervisor.message}`}`,
    }
  const why = obstacle === undefined ? '' : ` (${obstacle.message})`
  return { phase: 'bootstrap', percent: bootstrap.percent, message: `Joining ${title}: ${bootstrap.summary}${why}` }
}

function stalled(supervisor: Supervisor, { title }: Flavour): string {
  const { bootstrap } = supervisor.network
  const { message, advice } = likelyObstacle(supervisor.network)
  return `Joining ${title} stands still at ${bootstrap.percent} % (${bootstrap.summary}). ${message} ${advice}`.replaceAll(/  +/g, ' ')
}

function gaveUp(supervisor: Supervisor, { title }: Flavour, stallMs: number): BackendUnavailableError {
  const { bootstrap } = supervisor.network
  const { message, advice } = likelyObstacle(supervisor.network)
  const stood = `${title} could not be joined: it stood still at ${bootstrap.percent} % (${bootstrap.summary}) for ${Math.round(stallMs / 1000)} s.`
  return new BackendUnavailableError(`${stood} ${message}`.trim(), { code: 'BEAM_ERR_BOOTSTRAP', hint: advice })
}

/** What the daemon says, or what can be seen from here: without a route it says nothing for minutes. */
function likelyObstacle({ obstacle, bootstrap }: NetworkState): Pick<Obstacle, 'message' | 'advice'> {
  if (obstacle !== undefined) return obstacle
  // The tags of a start through a pluggable transport (control-spec section 5.5).
  if (bootstrap.tag.endsWith('_pt')) {
    return { message: 'The bridge does not answer.', advice: 'Compare its line with the one that was handed out, or use another bridge.' }
  }
  const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
  if (addresses.every(({ internal }) => internal)) {
    return { message: 'This machine has no network connection.', advice: 'Connect it; Beam goes on by itself.' }
  }
  return {
    message: '',
    advice:
      'Look at the network connection and the clock. Where the network is blocked, use a bridge: --bridge, or bridges in the configuration.',
  }
}
