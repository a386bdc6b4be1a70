import type { NetworkBackend, Progress } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'

/** A backend that may not run yet: what a tunnel is given, so that only networks that are used are started. */
export interface BackendHandle {
  readonly name: string
  /** Constant, and known before the network runs. */
  readonly capabilities: BackendCapabilities
  /** The backend itself, not initialized: for questions that need no I/O. */
  readonly backend: NetworkBackend
  /** How long `startTunnel` may take, in milliseconds, when it is not the usual time. */
  readonly startLimitMs?: number | undefined
  /**
   * The initialized backend. Initializes it on the first call, and again (a new instance) after a failure. Everybody who waits is told how
   * far it is.
   * @throws whatever `initialize` throws; the signal's reason when it fires.
   */
  ready(options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void }): Promise<NetworkBackend>
}
