import type { Endpoint, Path } from '../backend.ts'

/** A published tunnel as it is shown to people and programs. */
export interface TunnelSnapshot {
  readonly id: string
  readonly name?: string
  readonly host: string
  readonly port: number
  readonly endpoints: readonly Endpoint[]
  /** Who can reach it, in one sentence. */
  readonly access: string
  /** Whether something listens on the local port now. */
  readonly service: 'up' | 'down'
}

/**
 * What happens to a tunnel: one JSON line each with `beam … --json`; described by schemas/events.schema.json.
 * `ready` comes once per tunnel; `down` and `up` tell of endpoints (and of the local service, `what: 'service'`) afterwards.
 */
export type PublishEvent =
  | {
      readonly event: 'progress'
      readonly tunnel: string
      readonly backend: string
      readonly phase: string
      readonly percent?: number
      readonly message: string
    }
  | { readonly event: 'address'; readonly tunnel: string; readonly backend: string; readonly address: string }
  | { readonly event: 'ready'; readonly tunnel: TunnelSnapshot }
  | {
      readonly event: 'down'
      readonly tunnel: string
      readonly what: 'endpoint' | 'service'
      readonly backend?: string
      readonly address?: string
      readonly reason: string
    }
  | {
      readonly event: 'up'
      readonly tunnel: string
      readonly what: 'endpoint' | 'service'
      readonly backend?: string
      readonly address?: string
      readonly reason: string
    }
  | { readonly event: 'failover'; readonly tunnel: string; readonly from: string; readonly to: string; readonly reason: string }
  | { readonly event: 'warning'; readonly tunnel?: string; readonly backend?: string; readonly code: string; readonly message: string }
  | { readonly event: 'stopped'; readonly tunnel: string; readonly reason: string }
  | { readonly event: 'error'; readonly tunnel?: string; readonly code: string; readonly message: string; readonly hint?: string }

/** What happens to a visitor's side of a tunnel. */
export type ConnectEvent =
  | { readonly event: 'progress'; readonly backend: string; readonly phase: string; readonly percent?: number; readonly message: string }
  | {
      readonly event: 'listening'
      readonly host: string
      readonly port: number
      readonly address: string
      readonly path: Path
      readonly reveals: readonly string[]
    }
  | { readonly event: 'down'; readonly address: string; readonly reason: string }
  | { readonly event: 'up'; readonly address: string; readonly path: Path; readonly reason: string }
  | { readonly event: 'warning'; readonly code: string; readonly message: string }
  | { readonly event: 'stopped'; readonly reason: string }
  | { readonly event: 'error'; readonly code: string; readonly message: string; readonly hint?: string }
