import type { BackendCapabilities, DomainRegistration, Endpoint, EndpointState, LogLevel, Path } from '../../core/index.ts'

/** Where the executable connects once per visitor, and the word it must say first. */
export interface StreamTarget {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly token: string
}

/** The far end of `reach` and `dial`. */
export interface Destination {
  readonly address: string
  readonly secret?: string
  readonly isolation?: string
}

/** Where Beam fetches the stream of a `dial`. */
export type HandedSocket = { readonly host?: '127.0.0.1' | '::1'; readonly port: number } | { readonly path: string }

type Nothing = Readonly<Record<string, never>>

/** Parameters and result of every method that Beam calls (schemas/executable/params and results describe the same). */
export interface Methods {
  initialize: {
    params: {
      readonly protocolVersions: readonly number[]
      readonly name: string
      readonly config: Readonly<Record<string, unknown>>
      readonly paths: { readonly data: string; readonly state: string }
    }
    result: { readonly protocolVersion: number; readonly version?: string }
  }
  network_type: { params: Nothing; result: NetworkType }
  capabilities: {
    params: Nothing
    result: Omit<BackendCapabilities, 'maxThroughput'> & { readonly maxThroughput: number | null }
  }
  create_tunnel: {
    params: {
      readonly id: string
      readonly name?: string
      readonly port: number
      readonly domain?: string
      readonly access?: { readonly allow?: readonly string[]; readonly secret?: string }
      readonly network?: Readonly<Record<string, unknown>>
      readonly streams: StreamTarget
    }
    result: { readonly id: string; readonly endpoints: readonly Omit<Endpoint, 'backend'>[] }
  }
  destroy_tunnel: { params: { readonly id: string }; result: object }
  status: {
    params: Nothing
    result: { readonly state: 'starting' | 'running' | 'degraded' | 'failed'; readonly message?: string; readonly version?: string }
  }
  network_stats: { params: Nothing; result: { readonly peers?: number; readonly latencyMs?: number } }
  resolve_domain: { params: { readonly domain: string }; result: { readonly address: string } }
  register_domain: { params: { readonly domain: string; readonly tunnel: string }; result: DomainRegistration }
  reach: { params: Destination; result: Omit<Path, 'backend'> }
  dial: { params: Destination; result: { readonly socket: HandedSocket; readonly token: string } }
  shutdown: { params: Nothing; result: object }
}

/** Name of a method that Beam calls. */
export type Method = keyof Methods

/** How the addresses of the network look, and what dialling reveals. */
export interface NetworkType {
  readonly networkType: string
  readonly addresses: { readonly prefixes: readonly string[]; readonly suffixes: readonly string[] }
  readonly dialReveals: readonly string[]
}

/** What an executable may tell unasked. */
export interface Notifications {
  progress: { readonly tunnel?: string; readonly phase: string; readonly percent?: number; readonly message: string }
  address: { readonly tunnel: string; readonly address: string }
  state: { readonly tunnel: string; readonly address: string; readonly state: EndpointState; readonly reason: string }
  log: { readonly level: Exclude<LogLevel, 'silent'>; readonly message: string; readonly fields?: Readonly<Record<string, unknown>> }
  warning: { readonly tunnel?: string; readonly code: string; readonly message: string }
}

/** A notification with its name. */
export type Notification = {
  [Name in keyof Notifications]: { readonly method: Name; readonly params: Notifications[Name] }
}[keyof Notifications]
