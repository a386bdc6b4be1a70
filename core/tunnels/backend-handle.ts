import type { NetworkBackend } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'

/** A backend that may not run yet: what a tunnel is given, so that only networks that are used are started. */
export interface BackendHandle {
  readonly name: string
  /** Constant, and known before the network runs. */
  readonly capabilities: BackendCapabilities
  /** The backend itself, not initialized: for questions that need no I/O. */
  readonly backend: NetworkBackend
  /**
   * The initialized backend. Initializes it on the first call, and again (a new instance) after a failure.
   * @throws whatever `initialize` throws; the signal's reason when it fires.
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<NetworkBackend>
}
