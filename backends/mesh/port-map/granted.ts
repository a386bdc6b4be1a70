/** What is asked of a router. */
export interface PortRequest {
  /** The local TCP port. */
  readonly port: number
  /** The port outside that is wished for: the one that was had before. */
  readonly suggested: number
  readonly lifetimeSeconds: number
}

/** What a router granted. */
export interface Granted {
  /** Where the world reaches the port now. */
  readonly host: string
  readonly port: number
  readonly lifetimeSeconds: number
  /** Gives it back. @throws when the router does not answer in time */
  readonly remove: (signal: AbortSignal) => Promise<void>
}

/** A router that says no, or something that is no answer. */
export class RouterRefusal extends Error {
  override readonly name = 'RouterRefusal'
}
