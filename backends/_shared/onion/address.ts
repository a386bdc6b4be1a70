import { createHash } from 'node:crypto'
import { ConfigError, UnreachableError } from '../../../core/index.ts'
import { decodeBase32, encodeBase32 } from './base32.ts'
import type { Flavour } from './flavour.ts'

/** Bytes of a service's public key, and of the checksum (rend-spec-v3 section 6, [ONIONADDRESS]). */
const KEY_BYTES = 32
const CHECKSUM_BYTES = 2
const VERSION = 3
/** Characters of an address without its suffix: 35 bytes in base32. */
export const ID_LENGTH = 56

/** Ports of addresses that name none, by scheme. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443, ssh: 22, ftp: 21, irc: 6667 }

/** An address taken apart. */
export interface OnionAddress {
  /** The 56 characters, or a name that the daemon knows. */
  readonly id: string
  /** What the daemon is asked for: id and suffix, and the labels before them that web servers look at. */
  readonly host: string
  readonly port: number
}

/** The address of a public key, without suffix. */
export function onionId(publicKey: Uint8Array, { suffix }: Pick<Flavour, 'suffix'>): string {
  return encodeBase32(Buffer.concat([publicKey, checksum(publicKey, suffix), Uint8Array.of(VERSION)]))
}

function checksum(publicKey: Uint8Array, suffix: string): Buffer {
  return createHash('sha3-256')
    .update(`.${suffix} checksum`)
    .update(publicKey)
    .update(Uint8Array.of(VERSION))
    .digest()
    .subarray(0, CHECKSUM_BYTES)
}

/** Whether 56 characters are the address of a key. */
function isId(id: string, suffix: string): boolean {
  const bytes = id.length === ID_LENGTH ? decodeBase32(id) : undefined
  if (bytes === undefined || bytes[KEY_BYTES + CHECKSUM_BYTES] !== VERSION) return false
  return checksum(bytes.subarray(0, KEY_BYTES), suffix).equals(bytes.subarray(KEY_BYTES, KEY_BYTES + CHECKSUM_BYTES))
}

/** Labels before the id: at most as many as a host name of 253 characters can have. */
const ADDRESS =
  /^(?:([a-z][a-z0-9+.-]{0,15}):\/\/)?((?:[a-z0-9_-]{1,63}\.){0,20}?)([a-z0-9-]{1,63})\.([a-z]{1,16})(?::(\d{1,5}))?(?:[/?#].*)?$/i

/** Whether a text means to be an address of this network (it may still have a typing error). */
export function looksLikeAddress(text: string, { suffix }: Pick<Flavour, 'suffix'>): boolean {
  return text.length <= 4096 && ADDRESS.exec(text.trim())?.[4]?.toLowerCase() === suffix
}

/**
 * Takes an address apart: `http://….onion`, `….onion:22`, `https://www.….onion/path`.
 * @throws UnreachableError (`BEAM_ERR_ADDRESS_INVALID`) saying what is wrong with it
 */
export function parseAddress(text: string, flavour: Pick<Flavour, 'suffix' | 'fixedNames'>): OnionAddress {
  const { suffix } = flavour
  const [, scheme = '', labels = '', name = '', ending = '', portText] = (text.length <= 4096 && ADDRESS.exec(text.trim())) || []
  if (ending.toLowerCase() !== suffix) throw invalid(`This is no .${suffix} address.`, suffix)
  const id = name.toLowerCase()
  if (!flavour.fixedNames.includes(id) && !isId(id, suffix)) throw invalid(idProblem(id, suffix), suffix)
  const port = portText === undefined ? (DEFAULT_PORTS[scheme.toLowerCase() || 'http'] ?? 0) : Number(portText)
  if (port < 1 || port > 65_535) {
    throw invalid(
      portText === undefined
        ? `The address needs a port: ${scheme}://….${suffix}:PORT.`
        : `The port ${portText} is not between 1 and 65535.`,
      suffix,
    )
  }
  return { id, host: `${labels.toLowerCase()}${id}.${suffix}`, port }
}

function idProblem(id: string, suffix: string): string {
  if (id.length === 16) return `Addresses of 16 characters (version 2) do not exist any more; the service has a longer one now.`
  if (id.length !== ID_LENGTH) return `The .${suffix} address has ${id.length} characters instead of ${ID_LENGTH}.`
  return `The .${suffix} address has a typing error (its checksum does not fit).`
}

function invalid(message: string, suffix: string): UnreachableError {
  return new UnreachableError(message, {
    code: 'BEAM_ERR_ADDRESS_INVALID',
    retry: 'never',
    hint: `It looks like http://<56 letters and digits>.${suffix}, optionally with :port. Copy the whole address again.`,
  })
}

/** How an address of a service is shown, for one of its ports. */
export function formatAddress(id: string, port: number, { suffix }: Pick<Flavour, 'suffix'>): string {
  if (port === 80) return `http://${id}.${suffix}`
  if (port === 443) return `https://${id}.${suffix}`
  return `${id}.${suffix}:${port}`
}

/** A port of an onion service; throws for what is none. */
export function assertVirtualPort(port: unknown): asserts port is number {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return
  throw new ConfigError(`The onion service’s port ${JSON.stringify(port)} is not a whole number between 1 and 65535.`, {
    code: 'BEAM_ERR_PORT_INVALID',
  })
}
