import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { Carrier } from './carrier.ts'
import type { ConnectionRecord, MigrateRequest, OperationData, ProcessInfo, PublishRequest, StreamEnd } from './protocol.ts'

/** A tunnel that was published for another process. */
export interface HostedTunnel {
  readonly id: string
  /** Resolves when it ended, and says why; for one that is kept, when the daemon has made sure of it. */
  readonly ended: Promise<StreamEnd>
  stop(reason: string): Promise<void>
}

/** A process as the control API shows it. */
export interface ControlHost {
  readonly info: ProcessInfo
  readonly carrier: Carrier
  /** The services of others that it has on local ports; only commands that visit do. */
  connections?(): readonly ConnectionRecord[]
  /** Ends a tunnel for good, because somebody asked for it. False: there is none with this id. */
  stop(id: string, reason: string): Promise<boolean>
  /**
   * Moves a tunnel from one backend to another. False: there is none with this id. Rejects as `PublishedTunnel.migrate`; the signal calls it
   * off.
   */
  migrate(id: string, request: MigrateRequest, signal: AbortSignal): Promise<boolean>
  /**
   * Has every Beam instance of the process that uses a backend carry out an operation of it; empty when none does.
   * Rejects as `Beam.operate`.
   */
  operate(backend: string, operation: string, input: OperationData, signal: AbortSignal): Promise<readonly OperationData[]>
  /** Publishes a tunnel; only the daemon does. Rejects as `Beam.publish`; the signal ends the attempt. */
  publish?(request: PublishRequest, onEvent: (event: PublishEvent) => void, signal: AbortSignal): Promise<HostedTunnel>
  /** Ends the process in order; only the daemon does it when asked. */
  shutdown?(): void
}
