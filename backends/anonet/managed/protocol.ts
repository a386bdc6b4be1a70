/** What Beam and its process inside the namespace say to each other over Node's channel, which passes open sockets as well. */
import type { BfdSession, BirdProtocol, BirdRoute } from '../bird/tables.ts'
import type { WireGuardLink, WireGuardPeer } from '../wireguard/uapi.ts'
import type { Endpoint } from './endpoint.ts'

/** Where the UDP sockets of WireGuard are: outside by themselves (root), or inside behind a relay (everybody else). */
export type Uplink = 'direct' | 'relayed'

/** A link as the inside sets it up. */
export interface InsideLink {
  readonly interface: string
  readonly ownAddress: string
  readonly wireguard: Omit<WireGuardLink, 'endpoint'>
  readonly endpoints: readonly Endpoint[]
}

/** What is asked of the inside. */
export type InsideRequest =
  /** Once, first: the service address, and which way the UDP packets go. */
  | { readonly op: 'setup'; readonly address: string; readonly uplink: Uplink }
  /** A UDP socket of the outside for a link of `relayed`, made before the link. The socket comes along. */
  | { readonly op: 'socket'; readonly interface: string }
  /** The links that are to be, and BIRD's configuration for them. What is there and not named goes. */
  | { readonly op: 'apply'; readonly links: readonly InsideLink[]; readonly bird: string }
  /** A listening socket in the mesh. It is passed back. */
  | { readonly op: 'listen'; readonly host: string; readonly port: number }
  /** A connection through the mesh. It is passed back. */
  | { readonly op: 'dial'; readonly host: string; readonly port: number }
  | { readonly op: 'state' }

/** What the inside answers; a `code` is one of the system (`EADDRINUSE`) or of Beam. */
export type InsideAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } }

/** The mesh as it is. */
export interface InsideState {
  readonly birdVersion: string
  readonly protocols: readonly BirdProtocol[]
  readonly bfd: readonly BfdSession[]
  readonly routes: readonly BirdRoute[]
  /** By the name of the interface. */
  readonly links: Readonly<Record<string, WireGuardPeer | undefined>>
}
