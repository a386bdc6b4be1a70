import { ConfigError, UnreachableError } from '../../core/index.ts'
import { crc32, fromBase32 } from './base64.ts'

/** Longest host name of I2P. */
const MAX_NAME = 253
/** 32 bytes in base32. */
const B32_LETTERS = 52
/** 35 bytes in base32: the flags, the types and the key of an encrypted lease set. */
const B33_LETTERS = 56

/** What an address of I2P says. */
export interface I2pAddress {
  /** `….b32.i2p` or a name that ends in `.i2p`, in lower case. */
  readonly host: string
  /** `b32`: the hash of a destination; `b33`: an encrypted lease set; `name`: to be looked up. */
  readonly kind: 'b32' | 'b33' | 'name'
  /** Whether visitors need a key of their own (b33). */
  readonly needsKey: boolean
}

/** What a text says as an address: with or without scheme, port and path. Undefined when it is no address of I2P. */
export function readAddress(text: string): I2pAddress | undefined {
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([a-z0-9.-]+\.i2p)(?::\d{1,5})?(?:[/?#].*)?$/is.exec(text.trim())?.[1]?.toLowerCase()
  if (host === undefined || host.length > MAX_NAME) return undefined
  if (!host.endsWith('.b32.i2p')) return isHostName(host) ? { host, kind: 'name', needsKey: false } : undefined
  const label = host.slice(0, -'.b32.i2p'.length)
  if (label.length === B32_LETTERS && fromBase32(label) !== undefined) return { host, kind: 'b32', needsKey: false }
  if (label.length < B33_LETTERS) return undefined
  const bytes = fromBase32(label)
  if (bytes === undefined || bytes.length < 35) return undefined
  const flags = ((bytes[0] ?? 0) ^ crc32(bytes.subarray(3))) & 255
  // Other bits are for what does not exist yet: a mistyped address.
  return (flags & ~7) === 0 ? { host, kind: 'b33', needsKey: (flags & 4) !== 0 } : undefined
}

/** Whether a text is meant as an address of I2P, also a mistyped one: only this network can say what is wrong with it. */
export function looksLikeI2p(text: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/)?[a-z0-9-][a-z0-9.-]*\.i2p(?:[:/?#]|$)/i.test(text.trim())
}

/** @throws UnreachableError (`BEAM_ERR_ADDRESS_INVALID`) */
export function parseAddress(text: string): I2pAddress {
  const address = readAddress(text)
  if (address !== undefined) return address
  throw new UnreachableError('This is no address of I2P.', {
    code: 'BEAM_ERR_ADDRESS_INVALID',
    hint: 'An address is ….b32.i2p with 52 letters (56 or more where the lease set is encrypted), or a name that ends in .i2p.',
    retry: 'never',
  })
}

/** What visitors type. */
export function formatAddress(host: string): string {
  return `http://${host}`
}

/** The full hash address of somebody on an access list: `….b32.i2p`, or its 52 letters alone. @throws ConfigError */
export function parsePeer(text: string): string {
  const host = text.trim().toLowerCase()
  const full = host.endsWith('.i2p') ? host : `${host}.b32.i2p`
  if (readAddress(full)?.kind === 'b32') return full
  throw new ConfigError(`“${text.slice(0, 80)}” is no destination that an access list can name.`, {
    hint: 'Give the visitor’s ….b32.i2p address with 52 letters.',
  })
}

/** A name for the address book: `mysite.i2p`. @throws ConfigError (`BEAM_ERR_NAME_INVALID`) */
export function parseBookName(text: string): string {
  const name = text.trim().toLowerCase()
  if (readAddress(name)?.kind === 'name') return name
  throw new ConfigError(`“${text.slice(0, 80)}” is no name of I2P.`, {
    code: 'BEAM_ERR_NAME_INVALID',
    hint: 'A name has labels of letters, digits and hyphens and ends in .i2p: mysite.i2p',
  })
}

/** A link that tells a visitor’s router the destination of a name that it does not know. */
export function addressHelper(name: string, destination: string): string {
  return `http://${name}/?i2paddresshelper=${destination}`
}

function isHostName(host: string): boolean {
  return host.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
}
