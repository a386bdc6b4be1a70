import type { ControlClient } from '../control/control-client.ts'
import type { SocksTarget } from '../socks/socks-client.ts'

/** A daemon that can be used: our own, or one that ran already. */
export interface DaemonSession {
  readonly mode: 'own' | 'attached'
  readonly control: ControlClient
  /** Where streams are opened; undefined where there is no such port (single-hop services). */
  readonly socks: SocksTarget | undefined
  readonly version: string
  readonly pid: number | undefined
  /** Program and data directory of an own daemon. */
  readonly file?: string
  readonly folder?: string
  /** Something the user should know of it. */
  readonly warnings: ReadonlyArray<{ readonly code: string; readonly message: string }>
  /** Resolves with the reason when it can be used no longer. */
  readonly lost: Promise<Error>
  /** Ends what belongs to it; an attached daemon goes on without us. Within two seconds. */
  close(): Promise<void>
}
