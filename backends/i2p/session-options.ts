import { toI2pBase64 } from './base64.ts'

/** The tunnels of one session, as SAM's options. */
export interface TunnelShape {
  /** Routers in each tunnel, 0 to 7. */
  readonly length: number
  /** Tunnels in each direction, 1 to 16. */
  readonly quantity: number
  /** By how much the length may vary, -2 to 2. */
  readonly variance: number
}

/** How few routers a tunnel can have: a negative variance may shorten it. */
export function fewestHops({ length, variance }: TunnelShape): number {
  return Math.max(0, variance < 0 ? length + variance : length)
}

/** A visitor who may read an encrypted lease set. */
export interface Client {
  /** Letters, digits, `_` and `-`. */
  readonly name: string
  /** 32 bytes: a shared secret (psk), or the visitor's public X25519 key (dh). */
  readonly key: Buffer
}

/** Whether and for whom a lease set is encrypted. */
export interface Encryption {
  readonly auth: 'none' | 'psk' | 'dh'
  readonly clients: readonly Client[]
}

/** Options of every session. Values are checked before: i2pd ignores those that it does not understand. */
function common({ length, quantity, variance }: TunnelShape): Map<string, string> {
  const options = new Map<string, string>()
  for (const way of ['inbound', 'outbound']) {
    options.set(`${way}.length`, String(length))
    options.set(`${way}.quantity`, String(quantity))
    if (variance !== 0) options.set(`${way}.lengthVariance`, String(variance))
  }
  // SAM's own default is ElGamal, which newer visitors no longer encrypt for.
  options.set('i2cp.leaseSetEncType', '4')
  return options
}

/** Options of a session that publishes. */
export function publishingOptions(shape: TunnelShape, encryption: Encryption | undefined): ReadonlyMap<string, string> {
  const options = common(shape)
  options.set('inbound.nickname', 'beam')
  if (encryption === undefined) return options
  options.set('i2cp.leaseSetType', '5')
  if (encryption.auth === 'none') return options
  options.set('i2cp.leaseSetAuthType', encryption.auth === 'dh' ? '1' : '2')
  for (const [index, { name, key }] of encryption.clients.entries()) {
    options.set(`i2cp.leaseSetClient.${encryption.auth}.${index}`, `${name}:${toI2pBase64(key)}`)
  }
  return options
}

/** Options of a session that only dials: its lease set goes along with its streams, and nobody else has to find it. */
export function diallingOptions(shape: TunnelShape, clientKey: Buffer | undefined): ReadonlyMap<string, string> {
  const options = common(shape)
  options.set('inbound.nickname', 'beam-visitor')
  options.set('i2cp.dontPublishLeaseSet', 'true')
  if (clientKey !== undefined) options.set('i2cp.leaseSetPrivKey', toI2pBase64(clientKey))
  return options
}
