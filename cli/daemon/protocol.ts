/**
 * The control API of a Beam process, version 1: its paths, limits and the types of what goes over it. HTTP/1.1 on a unix socket or a
 * named pipe; described by schemas/control/ and docs/daemon.md.
 */
import type { Endpoint } from '../../core/backend.ts'
import type { ErrorKind } from '../../core/errors.ts'
import type { PathReport, PublishEvent } from '../../core/tunnels/events.ts'
import type { NetworkHealth } from '../../core/tunnels/health-report.ts'
import type { PublishOptions, PublishTarget } from '../../plugins/beam.ts'

/** Version of the API; part of every path. */
export const API = 1

/** Paths of the API. */
export const PATHS = {
  info: '/v1/info',
  tunnels: '/v1/tunnels',
  tunnel: (id: string) => `/v1/tunnels/${encodeURIComponent(id)}`,
  migrate: (id: string) => `/v1/tunnels/${encodeURIComponent(id)}/migrate`,
  events: '/v1/events',
  operation: (backend: string, operation: string) =>
    `/v1/backends/${encodeURIComponent(backend)}/operations/${encodeURIComponent(operation)}`,
  shutdown: '/v1/shutdown',
} as const

/** Media type of answers that are one JSON value a line. */
export const LINES = 'application/x-ndjson'

/** Largest body of a request: a thousand allowed visitor keys with room to spare. */
export const MAX_BODY_BYTES = 256 * 1024
/** Most connections at a time. An attached command holds one for each of its tunnels. */
export const MAX_CLIENTS = 256
/** Events that wait for a slow reader, in bytes; what comes then is counted and left out. */
export const MAX_QUEUED_BYTES = 256 * 1024
/** Past events that are kept. */
export const MAX_HISTORY = 1_000
/** The same in bytes: events hold texts of backends, which may be long. */
export const MAX_HISTORY_BYTES = 1024 * 1024

/** The process that answers. */
export interface ProcessInfo {
  readonly api: typeof API
  readonly version: string
  readonly pid: number
  readonly role: 'daemon' | 'command'
  readonly since: string
}

/** An error on its way to another process. */
export interface Problem {
  readonly code: string
  readonly kind?: ErrorKind
  readonly message: string
  readonly hint?: string
  readonly attempts?: readonly string[]
}

/** A tunnel of a process, as it is now. Nothing of its secret word or keys. */
export interface TunnelRecord {
  readonly id: string
  readonly name?: string
  readonly host: string
  readonly port: number
  readonly state: 'starting' | 'ready' | 'waiting'
  readonly kept: boolean
  readonly since: string
  readonly config?: string
  readonly endpoints: readonly Endpoint[]
  readonly networks?: readonly NetworkHealth[]
  readonly access?: string
  readonly service?: 'up' | 'down'
  readonly problem?: Problem
}

/** A local port of a process that leads to somebody else's service, as it is now. */
export interface ConnectionRecord {
  readonly host: string
  readonly port: number
  /** What the user typed. */
  readonly address: string
  readonly paths: readonly PathReport[]
}

/** The tunnels of one process. */
export interface ProcessTunnels {
  readonly process: ProcessInfo
  readonly tunnels: readonly TunnelRecord[]
  /** Of a command that visits. */
  readonly connections?: readonly ConnectionRecord[]
}

/** Options of a tunnel that can be told to another process. */
export type RemoteOptions = Omit<PublishOptions, 'id' | 'onStream' | 'onEvent' | 'signal'>

/** Where the settings of a tunnel come from. */
export interface Source {
  readonly config?: string
  readonly declared?: boolean
  readonly environment: Readonly<Record<string, string>>
}

/** Asks the daemon to publish something. */
export interface PublishRequest {
  readonly target: PublishTarget
  readonly options: RemoteOptions
  readonly source: Source
  readonly detach: boolean
}

/** Asks a process to move a tunnel from one backend to another. */
export interface MigrateRequest {
  readonly from: string
  readonly to: string
  readonly drainMs?: number
  readonly allowExposure?: boolean
}

/** One line of the answer to a request to move a tunnel: its events, and in the end whether it was moved. */
export type MigrateLine =
  | PublishEvent
  | { readonly missed: number }
  | { readonly failure: Problem }
  | { readonly migrated: string; readonly from: string; readonly to: string }

/** What an operation of a backend takes or answers: plain JSON. */
export type OperationData = Readonly<Record<string, unknown>>

/** The answers of the instances of one process. */
export interface OperationAnswers {
  readonly answers: readonly OperationData[]
}

/** How a stream of a tunnel's events ends. */
export type StreamEnd = 'kept' | 'asked' | 'daemon'

/** One line of the answer to a request to publish. */
export type PublishLine = PublishEvent | { readonly missed: number } | { readonly failure: Problem } | { readonly end: StreamEnd }

/** One line of the stream of events. */
export type LogLine = { readonly at: string; readonly event: PublishEvent } | { readonly missed: number }
