/** What changes in the headers of requests and answers on their way through Beam. Pure: headers are lists name, value, name, value, as they came. */
import { ConfigError } from '../errors.ts'

/** HTTP features of a tunnel. Any of them puts Beam between the network and the service, also where its daemon could deliver by itself. */
export interface HttpOptions {
  /** The Host header that the service sees: a value, or `rewrite` for the one of a local visitor (`localhost:3000`). */
  readonly hostHeader?: string
  /** Headers of requests that do not reach the service. */
  readonly dropRequestHeaders?: readonly string[]
  /** Headers that every answer carries, in place of the service's own of the same name. */
  readonly responseHeaders?: Readonly<Record<string, string>>
}

/** Headers as they came: name, value, name, value … */
export type RawHeaders = readonly string[]

/** Most headers that can be dropped or added: more is no configuration but a mistake. */
const MAX_RULES = 64
/** Longest value; servers refuse heads above 8 or 16 KiB. */
const MAX_VALUE_LENGTH = 4_096
/** A field name (RFC 9110 section 5.6.2, token). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
/** A field value (RFC 9110 section 5.5) without what is outside of ASCII. */
const VALUE = /^[\x20-\x7E\t]*$/
/** uri-host [":" port] (RFC 9110 section 7.2), loosely. */
const HOST = /^[A-Za-z0-9._~%:[\]-]{1,255}$/

/** Headers about one connection (RFC 9110 section 7.6.1), which are not passed on; those that `Connection` names are added. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings']
/** Headers that frame messages: whoever sets them breaks the connection. */
const FRAMING: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length', 'trailer'])

/** @throws ConfigError when a name or a value is none */
export function checkHttpOptions({ hostHeader, dropRequestHeaders = [], responseHeaders = {} }: HttpOptions): void {
  if (hostHeader !== undefined && !HOST.test(hostHeader)) {
    throw new ConfigError(`The Host header ${JSON.stringify(hostHeader.slice(0, 100))} is no host name.`, {
      hint: 'Give a name such as localhost:3000 or app.test, or “rewrite”.',
    })
  }
  const added = Object.entries(responseHeaders)
  if (dropRequestHeaders.length > MAX_RULES || added.length > MAX_RULES)
    throw new ConfigError(`More than ${MAX_RULES} headers are to be changed.`)
  for (const name of [...dropRequestHeaders, ...added.map(([name]) => name)]) {
    if (!NAME.test(name)) throw new ConfigError(`${JSON.stringify(name.slice(0, 100))} is no name of a header.`)
    if (FRAMING.has(name.toLowerCase())) throw new ConfigError(`The header ${name} belongs to the connection and cannot be changed.`)
  }
  for (const [name, value] of added) {
    if (!VALUE.test(value) || value.length > MAX_VALUE_LENGTH)
      throw new ConfigError(`The value of the header ${name} is none that HTTP can carry.`)
  }
}

/** The Host header that a local visitor of the service sends. */
export function localHost({ host, port }: { readonly host: string; readonly port: number }): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 80 ? name : `${name}:${port}`
}

/** Every value of a header, by its lower-case name. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  return pairs(headers).flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []))
}

/** Whether a message says that a body follows (RFC 9112 section 6). */
export function hasBody(headers: RawHeaders): boolean {
  return valuesOf(headers, 'transfer-encoding').length > 0 || valuesOf(headers, 'content-length').some((value) => Number(value) > 0)
}

/** What is changed in one direction of one exchange. */
export interface HeaderChange {
  /** Lower-case names that are left out. */
  readonly drop: ReadonlySet<string>
  /** Headers that are added at the end. */
  readonly add: Readonly<Record<string, string>>
  /** Replaces the host in `Host` and, where it is the same, in `Origin` (requests) and `Location` (answers). */
  readonly host?: { readonly from: string | undefined; readonly to: string }
  /** Leaves `Connection` and `Upgrade` in place, for a request that wants to change the protocol. */
  readonly upgrade?: boolean
}

/** The headers on the other side. */
export function changedHeaders(headers: RawHeaders, { drop, add, host, upgrade = false }: HeaderChange): string[] {
  const added = new Set(Object.keys(add).map((name) => name.toLowerCase()))
  const own = upgrade ? new Set(['keep-alive', 'proxy-connection', 'transfer-encoding']) : new Set([...HOP_BY_HOP, ...named(headers)])
  const kept = pairs(headers).flatMap(([name, value]) => {
    const key = name.toLowerCase()
    if (drop.has(key) || added.has(key) || own.has(key)) return []
    return [name, host === undefined ? value : withHost(key, value, host)]
  })
  return [...kept, ...Object.entries(add).flat()]
}

/** The headers that belong to the connection because `Connection` says so. */
function named(headers: RawHeaders): string[] {
  return valuesOf(headers, 'connection').flatMap((value) => value.split(',').map((word) => word.trim().toLowerCase()))
}

function withHost(key: string, value: string, { from, to }: NonNullable<HeaderChange['host']>): string {
  if (key === 'host') return to
  if (from === undefined || (key !== 'origin' && key !== 'location')) return value
  const url = /^(https?:\/\/)([^/?#]*)(.*)$/is.exec(value)
  // Somebody else's site stays somebody else's: that is what an Origin is looked at for.
  return url !== null && url[2]?.toLowerCase() === from.toLowerCase() ? `${url[1]}${to}${url[3]}` : value
}

/** The headers one by one. */
export function pairs(headers: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: headers.length >> 1 }, (_, index) => [headers[2 * index] ?? '', headers[2 * index + 1] ?? ''])
}
