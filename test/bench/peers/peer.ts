import type { Child, Children } from '../children.ts'

/** What a peer gets to start with. */
export interface PeerContext {
  /** Port of the origin on 127.0.0.1. */
  readonly origin: number
  /** An empty folder of this start, removed after it. */
  readonly folder: string
  /** Owns every process of this start. */
  readonly children: Children
  /** Starts one of our own scripts, in TypeScript. */
  script(path: string, args: readonly string[]): Promise<Child>
}

/** A peer that runs. */
export interface RunningPeer {
  /** Where visitors connect, on 127.0.0.1. */
  readonly port: number
  /** Processes on the side of the service; their descendants count too. */
  readonly publisher: readonly number[]
  /** Processes on the side of the visitor. */
  readonly connector: readonly number[]
}

/** A way to carry a TCP connection from a visitor to a service. */
export interface Peer {
  readonly name: string
  /** One line for the report. */
  readonly what: string
  /** What has to be installed to run it here, or `undefined` when nothing is. */
  missing(): string | undefined
  start(context: PeerContext): Promise<RunningPeer>
}
