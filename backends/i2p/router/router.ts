import type { Progress } from '../../../core/index.ts'
import type { SamEndpoint } from '../sam/connection.ts'

/** What is known of the router. */
export interface RouterInfo {
  /** `attached`: it ran already and goes on when Beam ends. `private`: Beam started it, and it ends with Beam. */
  readonly mode: 'attached' | 'private'
  /** Where SAM is, as host:port; absent while a private router is not up. */
  readonly sam?: string
  /** The version of SAM that was agreed on. */
  readonly samVersion?: string
  /** The version of the program, of a private router. */
  readonly version?: string
  readonly pid?: number
  /** How often a private router had to be started again. */
  readonly restarts?: number
}

/** The router that carries the tunnels of one backend. */
export interface Router extends AsyncDisposable {
  /** Brings it up, or finds it. @throws BackendUnavailableError */
  start(options: {
    readonly signal?: AbortSignal | undefined
    readonly onProgress?: ((progress: Progress) => void) | undefined
  }): Promise<void>
  /** Where SAM is now. Waits for a private router that is being started again. */
  sam(signal: AbortSignal): Promise<SamEndpoint>
  info(): RouterInfo
}
