import {
  ConfigError,
  dialLink,
  dialThroughRelays,
  encodeKey,
  generateIdentity,
  MAX_HOPS,
  parseBeamAddress,
  secretHeaders,
  sensitive,
  TimeoutError,
  type Clock,
  type Contact,
  type DialledLink,
  type DialLinkOptions,
  type DialOptions,
  type Discovery,
  type Identity,
  type Link,
  type Logger,
  type RelayContact,
  type RelayHop,
  type RouteOutcome,
  type UnreachableError,
} from '../../core/index.ts'
import { REACH_TIMEOUT_MS } from './constants.ts'
import { findContacts } from './find-contacts.ts'
import { raceContacts } from './race.ts'

/** A link to a publisher, ready for streams. */
export interface PublisherLink {
  readonly link: Link
  /** What `Path.kind` says of it. */
  readonly kind: string
  /** Relays on the way. */
  readonly hops: number
  /** The publisher's own relay, when there is one on the way. */
  readonly relay?: RelayContact
  readonly authority: string
  readonly headers: Record<string, string>
  readonly latencyMs: number
}

/** What links are built with. */
export interface OpenLinkParts {
  readonly discovery: Discovery
  readonly clock: Clock
  readonly logger: Logger
  /** Further relays to stand before the publisher's own, so that none of them knows both ends. @throws UnreachableError when there are not as many */
  readonly pickRelays: (count: number, except: Uint8Array) => readonly RelayHop[]
  /** Told what came of every relay that was tried first. */
  readonly onRelayUsed?: (relay: Uint8Array, outcome: RouteOutcome) => void
  /** What to say when nobody is found: it depends on which sources are on. */
  readonly notFound: (what: { readonly untimely: boolean; readonly unrelayed: boolean }) => UnreachableError
}

/** How one link is built. */
export interface OpenLinkRequest {
  readonly address: string
  readonly dial: DialOptions
  /** Which ways may be tried: all, or only those without a relay. */
  readonly ways: 'all' | 'direct'
  /** The head start of direct ways before relays; absent = the usual one. */
  readonly relayDelayMs?: number
  readonly signal: AbortSignal
}

/** What `Path.kind` says of a contact. */
const KINDS: Readonly<Record<Contact['kind'], string>> = { tcp: 'direct', stream: 'hole-punched', relay: 'relayed' }

/**
 * Finds a publisher and builds a link to it, on the first way that works.
 * @throws UnreachableError, TimeoutError after 30 s, ConfigError (hops); the signal's reason
 */
export async function openLink(
  { address, dial, ways, relayDelayMs, signal }: OpenLinkRequest,
  parts: OpenLinkParts,
): Promise<PublisherLink> {
  const { serviceKey, direct } = parseBeamAddress(address)
  const { discovery, clock, logger, notFound } = parts
  const identity = dial.identity ?? generateIdentity()
  const wanted = hopsOf(dial)
  let untimely = false
  let found = 0
  const find = { signal, now: clock.now, onUntimely: () => void (untimely = true) }
  const contacts = direct === undefined ? findContacts(discovery, serviceKey, find) : only({ kind: 'tcp', ...direct })
  const kinds: readonly Contact['kind'][] =
    wanted !== undefined ? ['relay'] : ways === 'direct' ? ['tcp', 'stream'] : ['tcp', 'stream', 'relay']
  const attempt = async (contact: Contact, attemptSignal: AbortSignal): Promise<DialledLink & { contact: Contact; hops: number }> => {
    const stopped = AbortSignal.any([attemptSignal, signal])
    const { hops, ...way } = await wayTo(contact, { service: serviceKey, wanted, signal: stopped, parts })
    return { ...(await dialLink({ ...way, expectedKey: serviceKey, identity, logger, signal: stopped })), contact, hops }
  }
  const start = clock.monotonic()
  try {
    const { link, exportKey, contact, hops } = await raceContacts(
      ofKinds(contacts, kinds, () => found++),
      attempt,
      {
        signal,
        discard: (loser) => loser.link.close(),
        ...(relayDelayMs === undefined ? {} : { relayDelayMs }),
        nothing: () => notFound({ untimely, unrelayed: wanted !== undefined && found > 0 }),
      },
    )
    const latencyMs = clock.monotonic() - start
    logger.debug('link to publisher', { address: sensitive(address), kind: contact.kind, ms: Math.round(latencyMs) })
    const relay = contact.kind === 'relay' ? { relay: contact } : {}
    return { ...(await readyLink({ link, exportKey }, serviceKey, dial)), kind: KINDS[contact.kind], hops, latencyMs, ...relay }
  } catch (error) {
    if (!signal.aborted || (signal.reason as Error | undefined)?.name !== 'TimeoutError') throw error
    throw new TimeoutError(`The publisher was not reached within ${REACH_TIMEOUT_MS / 1000} s.`, { cause: error })
  }
}

/** A link over a connection that is there already. */
export async function linkOver(
  to: DialLinkOptions['to'],
  { address, dial, signal }: Omit<OpenLinkRequest, 'ways'>,
  parts: Pick<OpenLinkParts, 'clock' | 'logger'>,
): Promise<PublisherLink> {
  const { serviceKey } = parseBeamAddress(address)
  const identity: Identity = dial.identity ?? generateIdentity()
  const start = parts.clock.monotonic()
  const dialled = await dialLink({ to, expectedKey: serviceKey, identity, logger: parts.logger, signal })
  return { ...(await readyLink(dialled, serviceKey, dial)), kind: 'hole-punched', hops: 0, latencyMs: parts.clock.monotonic() - start }
}

async function readyLink(
  { link, exportKey }: DialledLink,
  serviceKey: Uint8Array,
  { secret }: DialOptions,
): Promise<Pick<PublisherLink, 'link' | 'authority' | 'headers'>> {
  return { link, authority: encodeKey('service', serviceKey), headers: await secretHeaders(secret, serviceKey, exportKey) }
}

/** What the link is built on: an address, or a byte stream that leads there. */
async function wayTo(
  contact: Contact,
  { service, wanted, signal, parts }: { service: Uint8Array; wanted: number | undefined; signal: AbortSignal; parts: OpenLinkParts },
): Promise<Pick<DialLinkOptions, 'to' | 'side'> & { readonly hops: number }> {
  if (contact.kind === 'tcp') return { to: contact, hops: 0 }
  if (contact.kind === 'stream') return { to: await contact.open({ signal }), hops: 0 }
  const { key, host, port } = contact
  const hops = [...parts.pickRelays((wanted ?? 1) - 1, key), { key, contact: { host, port } }]
  const entry = hops[0]?.key ?? key
  const began = parts.clock.monotonic()
  try {
    const { carrier, side } = await dialThroughRelays(hops, { service }, { logger: parts.logger, signal })
    parts.onRelayUsed?.(entry, { worked: true, latencyMs: parts.clock.monotonic() - began })
    return { to: carrier, side, hops: hops.length }
  } catch (error) {
    // A way that was quicker, or somebody who gave up, says nothing about the relay.
    if (!signal.aborted) parts.onRelayUsed?.(entry, { worked: false })
    throw error
  }
}

/** How many relays are to be on the way; undefined = as it comes, none at best. @throws ConfigError */
export function hopsOf({ network }: DialOptions): number | undefined {
  const hops = network?.['hops']
  if (hops === undefined) return undefined
  if (Number.isInteger(hops) && (hops as number) >= 1 && (hops as number) <= MAX_HOPS) return hops as number
  throw new ConfigError(`A way through relays has 1 to ${MAX_HOPS} of them.`)
}

async function* ofKinds(
  contacts: AsyncIterable<Contact>,
  kinds: readonly Contact['kind'][],
  onFound: () => void,
): AsyncGenerator<Contact, void> {
  for await (const contact of contacts) {
    onFound()
    if (kinds.includes(contact.kind)) yield contact
  }
}

async function* only(contact: Contact): AsyncGenerator<Contact, void> {
  yield contact
}
