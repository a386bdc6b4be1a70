import { ConfigError, UnsupportedError } from '../../core/index.ts'
import type { AccessList } from './access.ts'
import { parseBookName, parsePeer } from './address.ts'
import { fromI2pBase64 } from './base64.ts'
import { MAX_ACCESS_ENTRIES, MAX_CLIENTS } from './constants.ts'
import { fewestHops, type Client, type Encryption, type TunnelShape } from './session-options.ts'

/** What only I2P knows of a published tunnel, checked. */
export interface PublishChoices {
  readonly shape: TunnelShape
  readonly encryption: Encryption | undefined
  readonly access: AccessList
  /** A name for the address book of this machine and for the address helper link. */
  readonly bookName: string | undefined
  readonly keyFile: string | undefined
}

/** What only I2P knows of a visit, checked. */
export interface DialChoices {
  /** The visitor's key for an encrypted lease set. */
  readonly clientKey: Buffer | undefined
  /** The name of a visitor's destination that stays the same, for access lists. */
  readonly as: string | undefined
}

type Given = Readonly<Record<string, unknown>>

const PUBLISH_KEYS = ['length', 'quantity', 'variance', 'encrypted', 'auth', 'clients', 'allow', 'deny', 'hostname', 'keyFile', 'udp']
const DIAL_KEYS = ['clientKey', 'as']

/** @throws ConfigError; UnsupportedError for UDP */
export function publishChoices(given: Given | undefined, defaults: TunnelShape): PublishChoices {
  const options = known(given, PUBLISH_KEYS)
  if (options['udp'] !== undefined && options['udp'] !== false) {
    throw new UnsupportedError('Beam carries TCP through I2P, not UDP.', {
      hint: 'Datagrams of I2P are not repeated when they are lost, and at most some KiB long; put the service behind TCP.',
    })
  }
  const shape = {
    length: whole(options, 'length', 0, 7) ?? defaults.length,
    quantity: whole(options, 'quantity', 1, 16) ?? defaults.quantity,
    variance: whole(options, 'variance', -2, 2) ?? defaults.variance,
  }
  if (fewestHops(shape) === 0 && fewestHops(defaults) > 0) {
    throw new ConfigError('A single tunnel of I2P cannot be without hops: that would show this machine, and no other network is told.', {
      hint: 'Where that is meant, set backends.i2p.config.length to 0; the network then counts as one that shows the publisher.',
    })
  }
  const hostname = textOf(options, 'hostname')
  return {
    shape,
    encryption: encryptionOf(options),
    access: { allow: peers(options, 'allow'), deny: peers(options, 'deny') },
    bookName: hostname === undefined ? undefined : parseBookName(hostname),
    keyFile: textOf(options, 'keyFile'),
  }
}

/** @throws ConfigError */
export function dialChoices(given: Given | undefined): DialChoices {
  const options = known(given, DIAL_KEYS)
  const key = textOf(options, 'clientKey')
  return { clientKey: key === undefined ? undefined : clientKeyOf(key, 'clientKey'), as: textOf(options, 'as') }
}

function known(given: Given | undefined, keys: readonly string[]): Given {
  const unknown = Object.keys(given ?? {}).find((key) => !keys.includes(key))
  if (unknown === undefined) return given ?? {}
  throw new ConfigError(`I2P has no option “${unknown.slice(0, 80)}”.`, { hint: `It has: ${keys.join(', ')}.` })
}

function whole(options: Given, key: string, least: number, most: number): number | undefined {
  const value = options[key]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new ConfigError(`The I2P option ${key} is not a whole number from ${least} to ${most}.`)
}

function textOf(options: Given, key: string): string | undefined {
  const value = options[key]
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw new ConfigError(`The I2P option ${key} is no text.`)
}

function list(options: Given, key: string, most: number): readonly string[] {
  const value = options[key] ?? []
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string'))
    throw new ConfigError(`The I2P option ${key} is no list of texts.`)
  if (value.length > most) throw new ConfigError(`The I2P option ${key} has more than ${most} entries.`)
  return value
}

function peers(options: Given, key: string): ReadonlySet<string> {
  return new Set(list(options, key, MAX_ACCESS_ENTRIES).map(parsePeer))
}

function encryptionOf(options: Given): Encryption | undefined {
  const { encrypted, auth } = options
  if (encrypted !== undefined && typeof encrypted !== 'boolean')
    throw new ConfigError('The I2P option encrypted is neither true nor false.')
  if (auth !== undefined && auth !== 'psk' && auth !== 'dh') throw new ConfigError('The I2P option auth is neither psk nor dh.')
  const clients = list(options, 'clients', MAX_CLIENTS).map(parseClient)
  const names = new Set(clients.map(({ name }) => name))
  if (names.size < clients.length) throw new ConfigError('Two I2P clients have one name.')
  if (clients.length > 0) {
    if (encrypted === false) throw new ConfigError('I2P clients need an encrypted lease set: leave encrypted out, or set it to true.')
    return { auth: auth ?? 'psk', clients }
  }
  if (auth !== undefined) throw new ConfigError('The I2P option auth needs clients.')
  return encrypted === true ? { auth: 'none', clients: [] } : undefined
}

function parseClient(text: string): Client {
  const [, name, key] = /^([A-Za-z0-9_-]{1,32})[:=](.+)$/s.exec(text) ?? []
  if (name !== undefined && key !== undefined) return { name, key: clientKeyOf(key, `clients (${name})`) }
  throw new ConfigError('An I2P client is not NAME:KEY.', { hint: 'The key has 32 bytes in base64: openssl rand -base64 32' })
}

/** In I2P's base64 or the usual one. The key itself never goes into an error. */
function clientKeyOf(text: string, where: string): Buffer {
  const bytes = fromI2pBase64(text.trim().replaceAll('+', '-').replaceAll('/', '~'))
  if (bytes?.length === 32) return bytes
  throw new ConfigError(`The I2P option ${where} holds no key of 32 bytes in base64.`, { hint: 'Make one: openssl rand -base64 32' })
}
