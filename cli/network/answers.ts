/** What the mesh answers to its operations (schemas/network.schema.json). */
import type { OperationData } from '../daemon/protocol.ts'
import { requireValid } from '../daemon/validate.ts'

/** A place in the network by measured round trips, in milliseconds. */
export interface Place {
  readonly position: readonly [number, number, number]
  readonly height: number
  readonly error: number
}

/** A source of discovery. */
export interface Source {
  readonly name: string
  readonly state: 'off' | 'idle' | 'starting' | 'ready' | 'unreachable'
  readonly peers?: number
  readonly detail?: string
}

/** What a node carried for others since it came up. */
export interface Relayed {
  readonly streams: number
  readonly openStreams: number
  readonly refused: number
  readonly bytes: number
  readonly peersHelped: number
  readonly reservations: number
}

/** A node; what was not measured is absent. */
export interface NodeStatus {
  readonly running: boolean
  readonly id?: string
  readonly keyKept?: boolean
  readonly participation?: 'light' | 'routing' | 'full'
  readonly maxPeers?: number
  readonly routing?: string
  readonly caching?: string
  readonly strategy?: string
  readonly startedAt?: number
  readonly addresses?: readonly string[]
  readonly peers?: number
  readonly inbound?: number
  readonly known?: number
  readonly heard?: number
  readonly records?: number
  readonly relays?: readonly string[]
  readonly serves?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly registered?: number
  readonly portMap?: {
    readonly state: 'asking' | 'mapped' | 'none'
    readonly protocol?: string
    readonly host?: string
    readonly port?: number
    readonly reason?: string
  }
  readonly partition?: { readonly since: number; readonly lost: number; readonly heard: number }
  readonly clock?: { readonly offsetMs: number; readonly nodes: number }
  readonly discovery: readonly Source[]
  readonly relayed?: Relayed
  readonly coordinate?: Place
}

/** A linked peer. */
export interface PeerFigures {
  readonly id: string
  readonly direction: 'in' | 'out'
  readonly trust: number
  readonly ageMs: number
  readonly busy: boolean
  readonly latencyMs?: number
  readonly host?: string
  readonly prefix?: string
  readonly source?: string
  readonly participation?: string
  readonly links?: number
  readonly coordinate?: Place
}

/** What a peer answered just now. */
export interface LinkResult {
  readonly id: string
  readonly ok: boolean
  readonly roundTripMs?: number
  readonly observed?: string
  readonly reason?: string
}

/** A stretch of a period. */
export interface Stretch {
  readonly at: number
  readonly samples: number
  readonly upMs: number
  readonly peers?: number
  readonly latencyMs?: number
  readonly discoverable?: number
  readonly heard?: number
  readonly streams: number
  readonly bytes: number
  readonly refused: number
}

interface Range {
  readonly mean: number
  readonly least: number
  readonly most: number
}

/** What was measured in a period. */
export interface PeriodFigures {
  readonly since: number
  readonly until: number
  readonly samples: number
  readonly oldest?: number
  readonly upMs: number
  readonly streams: number
  readonly bytes: number
  readonly refused: number
  readonly peers?: Range
  readonly latencyMs?: Range
  readonly discoverable?: number
  readonly buckets: readonly Stretch[]
}

/** A name that a running tunnel claims. */
export interface Claim {
  readonly domain: string
  readonly tunnel: string
  readonly address: string
}

/** What each operation answers. */
export interface Answers {
  readonly status: NodeStatus
  readonly peers: { readonly peers: readonly PeerFigures[] }
  readonly test: { readonly running: boolean; readonly peers: readonly LinkResult[]; readonly discovery: readonly Source[] }
  readonly period: PeriodFigures
  readonly resolved: {
    readonly name: string
    readonly address: string
    readonly others?: readonly string[]
    readonly warnings: readonly { readonly code: string; readonly message: string }[]
  }
  readonly name: { readonly name: string; readonly claimants: readonly string[]; readonly accepted?: string; readonly own?: Claim }
  readonly names: { readonly own: readonly Claim[]; readonly accepted: readonly { readonly name: string; readonly address: string }[] }
}

/** @throws ProtocolError (`BEAM_ERR_CONTROL`) when another version answered */
export function answerOf<K extends keyof Answers>(what: K, answer: OperationData): Answers[K] {
  requireValid(`network#/$defs/${what}`, answer, 'The answer')
  return answer as unknown as Answers[K]
}
