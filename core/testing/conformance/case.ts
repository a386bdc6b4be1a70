import type { PromiseId } from './promises.ts'
import type { Stage } from './stage.ts'

/** The test of one promise. */
export interface Case {
  readonly id: PromiseId
  /** How long it may take on loopback, in milliseconds; the fixture's `timeScale` multiplies it. */
  readonly limitMs?: number
  /** Throws when the promise is broken; calls `stage.skip(reason)` when it cannot be asked of this backend. */
  run(stage: Stage): Promise<void>
}
