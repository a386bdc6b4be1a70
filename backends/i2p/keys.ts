import { ConfigError } from '../../core/index.ts'
import { fromI2pBase64, toI2pBase64 } from './base64.ts'
import { DEST_LIMIT_MS } from './constants.ts'
import { b32Of, destinationIn } from './destination.ts'
import { DEST_GENERATE } from './sam/commands.ts'
import { SamConnection, type SamEndpoint, type SamOptions } from './sam/connection.ts'
import { refusalOf } from './sam/refusal.ts'
import { valueOf } from './sam/reply.ts'

/** Behind the destination: 256 bytes of the encryption key, and a signing key of 20 bytes (DSA) or more. */
const LEAST_PRIVATE_BYTES = 276
/** With the longest keys and offline signatures; more is another kind of file. */
export const MAX_KEY_BYTES = 8_192

/** The keys of a destination. The private part goes to the router and to the key file, nowhere else. */
export interface DestinationKeys {
  /** The private key as SAM takes it, in base64. Never logged, never in an error. */
  readonly secret: string
  /** The public part. */
  readonly destination: Buffer
  /** `….b32.i2p` */
  readonly b32: string
}

/** Keys from a text in base64 (SAM, i2ptunnel) or from the bytes of a key file (`eepPriv.dat`, i2pd’s `.dat`). Undefined when they are none. */
export function readKeys(content: Buffer): DestinationKeys | undefined {
  if (content.length > MAX_KEY_BYTES) return undefined
  const text = content.toString('latin1').trim()
  const bytes = /^[A-Za-z0-9~=-]+$/.test(text) ? fromI2pBase64(text) : content
  if (bytes === undefined) return undefined
  const destination = destinationIn(bytes)
  if (destination === undefined || bytes.length < destination.length + LEAST_PRIVATE_BYTES) return undefined
  return { secret: toI2pBase64(bytes), destination: Buffer.from(destination), b32: b32Of(destination) }
}

/** Has the router make keys. */
export async function generateKeys(at: SamEndpoint, options: SamOptions): Promise<DestinationKeys> {
  const connection = await SamConnection.open(at, options)
  try {
    const reply = await connection.command(DEST_GENERATE, { limitMs: DEST_LIMIT_MS, signal: options.signal })
    const keys = readKeys(Buffer.from(valueOf(reply, 'PRIV')))
    const promised = fromI2pBase64(valueOf(reply, 'PUB'))
    if (keys !== undefined && promised !== undefined && keys.destination.equals(promised)) return keys
    throw valueOf(reply, 'PRIV') === '' ? refusalOf(reply) : new ConfigError('The I2P router made keys that do not fit together.')
  } finally {
    connection.close()
  }
}
