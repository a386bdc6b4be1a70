/** What heartbeats and route updates say, as deterministic CBOR. Hints for whoever chooses peers and paths; nothing depends on them being true. */
import { isIP } from 'node:net'
import { ProtocolError } from '../../errors.ts'
import { KEY_BYTES } from '../../identity/identity.ts'
import { decodeCanonical, encodeCanonical } from '../../records/canonical.ts'

/** How much a node does for others. */
export const PARTICIPATIONS = ['light', 'routing', 'full'] as const
/** What a node does for others: `light` nothing, `routing` relays within limits, `full` relays as much as a server spares. */
export type Participation = (typeof PARTICIPATIONS)[number]

/** A sign of life of a node. */
export interface HeartbeatPayload {
  readonly participation: Participation
  /** Where it can be dialled, the best first: `host` is an IP address. */
  readonly contacts: readonly { readonly host: string; readonly port: number }[]
  /** Links that it has. */
  readonly links: number
  /** Its network coordinate: the unit is a millisecond of round trip. */
  readonly coordinate?: readonly number[]
}

/** What a node measured on its way to another. */
export interface RouteEntry {
  /** Node key of the other. */
  readonly to: Uint8Array
  /** Round trip in milliseconds; absent = it is not reached any more. */
  readonly latencyMs?: number
}

/** Addresses of one node: one of each family, and one that a port mapping gave. */
const MAX_CONTACTS = 4
/** Numbers of a coordinate: three dimensions, the height, and the error. */
const MAX_COORDINATE = 5
/** Entries of a route update: what fits into a payload. */
const MAX_ROUTES = 24
/** A minute and more is no round trip. */
const MAX_LATENCY_MS = 60_000

/** A heartbeat as the payload of its message; contacts beyond the fourth are left out. */
export function encodeHeartbeat({ participation, contacts, links, coordinate }: HeartbeatPayload): Uint8Array {
  const places = contacts.slice(0, MAX_CONTACTS).map(({ host, port }) => [host, port])
  return encodeCanonical([PARTICIPATIONS.indexOf(participation), places, links, [...(coordinate ?? [])]])
}

/** @throws ProtocolError */
export function decodeHeartbeat(bytes: Uint8Array): HeartbeatPayload {
  const [kind, places, links, coordinate] = listOf(bytes, 4)
  const participation = typeof kind === 'number' ? PARTICIPATIONS[kind] : undefined
  if (participation === undefined || !isCount(links, 65_535)) throw invalid('heartbeat')
  if (!Array.isArray(places) || places.length > MAX_CONTACTS) throw invalid('heartbeat')
  if (!Array.isArray(coordinate) || coordinate.length > MAX_COORDINATE || !coordinate.every(isMilliseconds)) throw invalid('heartbeat')
  const contacts = places.map((place: unknown) => {
    const [host, port] = Array.isArray(place) ? (place as unknown[]) : []
    if (typeof host !== 'string' || isIP(host) === 0 || !isCount(port, 65_535) || port === 0) throw invalid('heartbeat')
    return { host, port }
  })
  return { participation, contacts, links, ...(coordinate.length === 0 ? {} : { coordinate: coordinate as number[] }) }
}

/** Routes as the payload of their message; those beyond the 24th are left out. */
export function encodeRoutes(routes: readonly RouteEntry[]): Uint8Array {
  return encodeCanonical(
    routes.slice(0, MAX_ROUTES).map(({ to, latencyMs }) => [to, latencyMs === undefined ? null : Math.round(latencyMs)]),
  )
}

/** @throws ProtocolError */
export function decodeRoutes(bytes: Uint8Array): RouteEntry[] {
  const list = listOf(bytes)
  if (list.length > MAX_ROUTES) throw invalid('route update')
  return list.map((entry) => {
    const [to, latencyMs, ...rest] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (!(to instanceof Uint8Array) || to.length !== KEY_BYTES || rest.length > 0) throw invalid('route update')
    if (latencyMs !== null && !isCount(latencyMs, MAX_LATENCY_MS)) throw invalid('route update')
    return { to: Buffer.from(to), ...(latencyMs === null ? {} : { latencyMs: latencyMs as number }) }
  })
}

function listOf(bytes: Uint8Array, length?: number): readonly unknown[] {
  let value: unknown
  try {
    value = decodeCanonical(bytes)
  } catch (cause) {
    throw new ProtocolError('No deterministic CBOR.', { cause })
  }
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw invalid('payload')
  return value as readonly unknown[]
}

function isCount(value: unknown, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max
}

function isMilliseconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= MAX_LATENCY_MS
}

function invalid(what: string): ProtocolError {
  return new ProtocolError(`Not a ${what} of gossip.`, { code: 'BEAM_ERR_LINK_PROTOCOL' })
}
