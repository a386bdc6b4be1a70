import type { AccessPolicy, StreamHandler } from '../backend.ts'
import type { Clock } from '../clock.ts'
import type { Identity } from '../identity/identity.ts'
import type { Logger } from '../logger.ts'
import type { BackendHandle } from './backend-handle.ts'
import type { PublishEvent, TunnelSnapshot } from './events.ts'
import type { NetworkHealth } from './health-report.ts'
import type { HealthSettings } from './health-settings.ts'
import type { HttpOptions } from './http-headers.ts'
import type { ServiceTarget } from './local-service.ts'
import type { Migration } from './migrate.ts'
import type { Strategy } from './strategy.ts'

/** What is to be published, and how. */
export interface PublishSetup {
  readonly target: ServiceTarget
  /** Backends by preference; at least one. */
  readonly chain: readonly BackendHandle[]
  readonly strategy?: Strategy
  /** How new connections are to be spread over the backends, by name: 1 to 1000, default 1. Visitors are told in the service's record. */
  readonly weights?: Readonly<Record<string, number>>
  readonly health?: HealthSettings
  /** Permits networks that show the IP address beside networks that hide it. */
  readonly allowExposure?: boolean
  readonly id?: string
  readonly name?: string
  readonly domain?: string
  /** The service key, for backends that use one. */
  readonly identity?: Identity
  readonly access?: AccessPolicy
  /** Options for single networks, by the name of the backend. */
  readonly network?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** HTTP features: Beam then reads the requests of visitors. Not together with `onStream`. */
  readonly http?: HttpOptions
  /** Takes the visitors' streams instead of the local port. */
  readonly onStream?: StreamHandler
  /** Fail when nothing listens on the local port. */
  readonly requireService?: boolean
  readonly onEvent?: (event: PublishEvent) => void
  /** Ends the attempt to start; a started tunnel is not touched by it. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A published tunnel. */
export interface Tunnel extends AsyncDisposable {
  readonly id: string
  /** As it is now. */
  snapshot(): TunnelSnapshot
  /** How each of its networks is, by preference: only what was measured. */
  health(): readonly NetworkHealth[]
  /** The backends that it may use, by preference. */
  backends(): readonly string[]
  /**
   * Moves it from one backend to another, make before break. Resolves when the old one is stopped.
   * @throws BeamError when the new one cannot take it; the signal's reason. The old one is untouched then.
   */
  migrate(migration: Migration): Promise<void>
  /** Ends it; harmless when repeated. */
  stop(reason?: string): Promise<void>
}
