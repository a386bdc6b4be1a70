import type { Socket } from 'node:net'
import type { OnionNetwork } from '../../helpers/onion-network/index.ts'

/** What a peer gets to start with. */
export interface OnionPeerContext {
  readonly network: OnionNetwork
  /** Lines of configuration for every daemon of a client: the network's, and those of the delay. */
  readonly torrc: readonly string[]
  /** Port of the origin on 127.0.0.1. */
  readonly origin: number
  /** A folder of this peer and round. */
  readonly folder: string
}

/** A published service. */
export interface Publication {
  /** What the other peer's visitors would type, too: `http://….onion`. */
  readonly address: string
  stop(): Promise<void>
}

/** A visitor's end, up and ready to open connections. */
export interface Visitor {
  /** A new connection to the service; the `index`-th of those that are open at the same time. */
  dial(index: number): Promise<Socket>
  stop(): Promise<void>
}

/** A way to publish and to visit an onion service. */
export interface OnionPeer {
  readonly name: string
  readonly what: string
  /** Resolves when the service was reached through the network once. The second time in a folder it is warm and has the same address. */
  publish(context: OnionPeerContext): Promise<Publication>
  /** A visitor whose connections are spread over so many circuits. */
  visit(context: OnionPeerContext, address: string, circuits: number): Promise<Visitor>
}
