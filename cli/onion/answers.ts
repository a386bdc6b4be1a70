/** What the backends of networks with onion services answer (schemas/onion.schema.json). */
import { requireValid } from '../daemon/validate.ts'
import type { OperationData } from '../daemon/protocol.ts'

/** The daemon of one Beam instance. */
export interface OnionStatus {
  readonly mode?: 'own' | 'attached'
  readonly state: string
  readonly message?: string
  readonly version?: string
  readonly pid?: number
  readonly binary?: string
  readonly dataDir?: string
  readonly socks?: string
  readonly bootstrap?: { readonly percent: number; readonly tag?: string; readonly summary?: string }
  readonly circuitEstablished?: boolean
  readonly liveness?: 'up' | 'down' | 'unknown'
  readonly dormant?: boolean
  readonly uptimeSeconds?: number
  readonly guards?: readonly { readonly name: string; readonly state: string }[]
  readonly circuitCount?: number
  readonly circuits?: readonly {
    readonly id: string
    readonly state: string
    readonly purpose: string
    readonly relays: readonly string[]
  }[]
  readonly services?: readonly OnionServiceStatus[]
}

/** One published service. */
export interface OnionServiceStatus {
  readonly name?: string
  readonly address: string
  readonly state: string
  readonly published?: boolean
  readonly protected?: boolean
  readonly clients?: number
  readonly ports?: readonly number[]
}

/** Who may visit a service. */
export interface OnionAuth {
  readonly service: string
  readonly protected: boolean
  readonly clients: readonly { readonly client: string; readonly publicKey: string }[]
  /** How many running tunnels follow it already. */
  readonly live?: number
}

/** @throws ProtocolError (`BEAM_ERR_CONTROL`) when another version answered */
export function statusOf(answer: OperationData): OnionStatus {
  return checked('onion#/$defs/status', answer) as OnionStatus
}

/** Throws as above. */
export function authOf(answer: OperationData): OnionAuth {
  return checked('onion#/$defs/auth', answer) as OnionAuth
}

/** Throws as above. */
export function authListOf(answer: OperationData): readonly OnionAuth[] {
  return (checked('onion#/$defs/authList', answer) as { readonly services: readonly OnionAuth[] }).services
}

function checked(definition: `onion#/$defs/${string}`, answer: OperationData): unknown {
  requireValid(definition, answer, 'The answer')
  return answer
}
