import type { Endpoint } from '../backend.ts'
import type { Path } from '../powers.ts'
import type { HealthReport } from './health-report.ts'
import type { Strategy } from './strategy.ts'

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

/** One of several ways to a service, with what was measured; what was not measured is absent. */
export interface PathReport extends HealthReport {
  /** Name of the backend; `#2` and so on for further addresses on the same one. */
  readonly label: string
  readonly backend: string
  readonly address: string
  /** `suspect`: slower than it should be, it is being asked. */
  readonly state: 'untried' | 'up' | 'suspect' | 'down'
  /** Against the other paths, from -0.1 to 0.9: 0.4 latency, 0.3 bandwidth, 0.2 reliability, -0.1 congestion. */
  readonly score: number
  readonly kind?: string
  readonly bytesPerSecond?: number
  /** Share of the latency above the least. */
  readonly congestion?: number
}

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
      /** With several paths: how they are used, and how they are. */
      readonly strategy?: Strategy
      readonly paths?: readonly PathReport[]
    }
  /** One of several paths changed. */
  | { readonly event: 'path'; readonly path: PathReport; readonly reason: string }
  /** New connections take another path first. */
  | { readonly event: 'failover'; readonly from: string; readonly to: string; readonly reason: string }
  | { readonly event: 'down'; readonly address: string; readonly reason: string }
  | { readonly event: 'up'; readonly address: string; readonly path: Path; readonly reason: string }
  | { readonly event: 'warning'; readonly code: string; readonly message: string }
  | { readonly event: 'stopped'; readonly reason: string }
  | { readonly event: 'error'; readonly code: string; readonly message: string; readonly hint?: string }
