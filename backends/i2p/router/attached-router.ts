import type { Clock } from '../../../core/index.ts'
import { PROBE_LIMIT_MS } from '../constants.ts'
import { SamConnection, type SamEndpoint } from '../sam/connection.ts'
import type { Router, RouterInfo } from './router.ts'

/** Asks a port whether it speaks SAM. @returns the version. @throws BackendUnavailableError */
export async function askSam(
  at: SamEndpoint,
  options: { readonly clock: Clock; readonly signal?: AbortSignal | undefined; readonly limitMs?: number },
): Promise<string> {
  const connection = await SamConnection.open(at, options)
  connection.close()
  return connection.version
}

/** A router that somebody else runs. */
export class AttachedRouter implements Router {
  readonly #at: SamEndpoint
  readonly #clock: Clock
  #samVersion: string | undefined

  constructor(at: SamEndpoint, clock: Clock) {
    this.#at = at
    this.#clock = clock
  }

  async start({ signal }: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#samVersion = await askSam(this.#at, { clock: this.#clock, signal, limitMs: PROBE_LIMIT_MS })
  }

  async sam(): Promise<SamEndpoint> {
    return this.#at
  }

  info(): RouterInfo {
    const { host, port } = this.#at
    return { mode: 'attached', sam: `${host}:${port}`, ...(this.#samVersion === undefined ? {} : { samVersion: this.#samVersion }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It is not ours to end.
  }
}
