import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { PublishOptions, PublishTarget } from '../../plugins/beam.ts'
import type { StreamEnd } from './protocol.ts'

/** How to publish something, wherever it is carried. */
export interface Publishing extends Omit<PublishOptions, 'id' | 'onStream' | 'onEvent' | 'signal'> {
  readonly onEvent: (event: PublishEvent) => void
  readonly signal: AbortSignal
}

/** A tunnel that another part of the program, or another process, carries. */
export interface Published {
  /** Resolves when it ended by itself or because somebody else ended it; `kept`: it goes on without us. */
  readonly ended: Promise<StreamEnd>
  stop(reason: string): Promise<void>
}

/** Carries tunnels: this process or the daemon. */
export interface Publisher extends AsyncDisposable {
  publish(target: PublishTarget, options: Publishing): Promise<Published>
}
