/** The command that adds a service (control-spec section 3.27). Pure. */
import { createHash } from 'node:crypto'
import { encodeBase32 } from '../base32.ts'
import type { OnionPublishOptions } from './publish-options.ts'

/** What the daemon is told. */
export interface OnionCommand {
  /** `ED25519-V3:…`. Secret. */
  readonly key: string
  /** Port of the service and where the daemon passes its visitors on. */
  readonly ports: ReadonlyArray<{ readonly port: number; readonly target: string }>
  /** Public keys of those who may visit; undefined = everybody. */
  readonly clients: readonly string[] | undefined
  readonly options: Pick<OnionPublishOptions, 'maxStreams' | 'maxStreamsCloseCircuit' | 'pow'>
  readonly nonAnonymous: boolean
}

/** The line. It holds the private key: it goes to the control port and nowhere else. */
export function addOnion({ key, ports, clients, options, nonAnonymous }: OnionCommand): string {
  const { maxStreams, maxStreamsCloseCircuit, pow } = options
  const flags = [
    'DiscardPK',
    ...(maxStreams !== undefined && maxStreamsCloseCircuit ? ['MaxStreamsCloseCircuit'] : []),
    ...(nonAnonymous ? ['NonAnonymous'] : []),
    ...(clients === undefined ? [] : ['V3Auth']),
  ]
  return [
    'ADD_ONION',
    key,
    `Flags=${flags.join(',')}`,
    ...(maxStreams === undefined ? [] : [`MaxStreams=${maxStreams}`]),
    ...(pow === undefined ? [] : ['PoWDefensesEnabled=1']),
    ...(pow?.rate === undefined ? [] : [`PoWQueueRate=${pow.rate}`]),
    ...(pow?.burst === undefined ? [] : [`PoWQueueBurst=${pow.burst}`]),
    ...ports.map(({ port, target }) => `Port=${port},${target}`),
    ...(clients ?? []).map((client) => `ClientAuthV3=${client}`),
  ].join(' ')
}

/**
 * A public key of which nobody knows the private half: it keeps a protected service without visitors closed, since the daemon wants at least
 * one client there. (A hash is a valid x25519 public key, RFC 7748 section 5.)
 */
export function nobodysKey(id: string): string {
  return encodeBase32(createHash('sha256').update('beam: nobody may visit').update(id).digest())
}
