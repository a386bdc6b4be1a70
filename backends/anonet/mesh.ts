import type { Server, Socket } from 'node:net'
import type { BirdProtocol } from './bird/tables.ts'

/** What a mesh says of one session with a friend. */
export interface Session {
  /** Name of BIRD's protocol. */
  readonly name: string
  readonly established: boolean
  /** BIRD's own words: `Established`, `Active`, … */
  readonly info: string
}

/** How well a mesh can be used at present. */
export interface MeshHealth {
  /** Whether others of the mesh can reach this node, as far as can be told from here. */
  readonly reachable: boolean
  /** Why, for people. */
  readonly reason: string
  readonly sessions: readonly Session[]
}

/** A mesh of friends as this node is part of it: one that was there already, or one that Beam keeps itself. */
export interface Mesh extends AsyncDisposable {
  /** The address at which services are published. */
  readonly address: string
  readonly version: string | undefined
  /** Called when the mesh was lost with all its sockets, which nobody will ever answer any more. */
  onLost: () => void
  /** Called when it is there again: what listened can listen again. */
  onRestart: () => void
  /** Looks at it now. Never rejects. */
  health(): Promise<MeshHealth>
  /** A listening socket at {@link address}. @throws NodeJS.ErrnoException */
  listen(port: number): Promise<Server>
  /** A connection to another node, of which nothing was read yet. @throws NodeJS.ErrnoException */
  connect(host: string, port: number, signal: AbortSignal | undefined): Promise<Socket>
  /** What `beam anonet status` shows. */
  status(): Promise<Readonly<Record<string, unknown>>>
}

/** The sessions among BIRD's protocols. */
export function sessionsOf(protocols: readonly BirdProtocol[]): Session[] {
  return protocols
    .filter(({ type }) => type === 'BGP')
    .map(({ name, state, info }) => ({
      name,
      established: state === 'up' && info.startsWith('Established'),
      info: info === '' ? state : info,
    }))
}

/** How many friends are there, in words. */
export function friendsSentence(count: number): string {
  return count === 1 ? 'connected to 1 friend' : `connected to ${count} friends`
}
