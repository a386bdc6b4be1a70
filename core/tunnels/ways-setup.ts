import type { Progress } from '../backend.ts'
import type { Clock } from '../clock.ts'
import type { PathReport } from './events.ts'
import type { Strategy } from './strategy.ts'
import type { Way, WayTarget } from './way.ts'

/** What happens to the ways. */
export interface WaysEvents {
  /** One of them changed. */
  onPath(report: PathReport, reason: string): void
  /** Another one is the first choice now. */
  onMove(from: Way, to: Way, reason: string): void
  onWarning(code: string, message: string): void
  onProgress(backend: string, progress: Progress): void
}

/** What ways are made of. */
export interface WaysSetup {
  readonly targets: readonly WayTarget[]
  readonly strategy: Strategy
  readonly circuits: number
  readonly clock: Clock
  readonly events: WaysEvents
  /** Whether a connection that one network carries may move to another: see the exposure policy. */
  readonly mayMove: (from: string, to: string) => boolean
  /** Ends everything. */
  readonly signal: AbortSignal
}
