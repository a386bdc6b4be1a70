import {
  dialLink,
  dialThroughRelays,
  ConfigError,
  encodeKey,
  generateIdentity,
  MAX_HOPS,
  type LinkStream,
  parseBeamAddress,
  secretHeaders,
  sensitive,
  TimeoutError,
  type UnreachableError,
  type Clock,
  type Contact,
  type DialledLink,
  type DialLinkOptions,
  type DialOptions,
  type Discovery,
  type Link,
  type Logger,
  type Path,
  type RelayHop,
} from '../../core/index.ts'
import { MAX_PUBLISHER_LINKS, REACH_TIMEOUT_MS } from './constants.ts'
import { findContacts } from './find-contacts.ts'
import { raceContacts } from './race.ts'

/** A link to a publisher, ready for streams. */
interface PublisherLink {
  readonly link: Link
  readonly kind: string
  /** Relays on the way. */
  readonly hops: number
  readonly authority: string
  readonly headers: Record<string, string>
  latencyMs: number
}

/** What the links need. */
export interface PublisherLinksOptions {
  readonly discovery: Discovery
  readonly clock: Clock
  readonly logger: Logger
  /** Further relays to stand before the publisher's own, so that none of them knows both ends. @throws UnreachableError when there are not as many */
  readonly pickRelays: (count: number, except: Uint8Array) => readonly RelayHop[]
  /** What to say when nobody is found: it depends on which sources are on. */
  readonly notFound: () => UnreachableError
}

/** The visitor's side: one link to each publisher that is dialled, made again when it was lost. */
export class PublisherLinks {
  readonly #options: PublisherLinksOptions
  readonly #entries = new Map<string, Promise<PublisherLink>>()
  /** Those of them that are up, to be had without waiting. */
  readonly #up = new Map<string, PublisherLink>()
  readonly #closing = new AbortController()

  constructor(options: PublisherLinksOptions) {
    this.#options = options
  }

  /** Reaches the publisher, asks whether one is let in, and says how it was reached. */
  async reach(address: string, options: DialOptions): Promise<Path> {
    const { link, kind, hops, headers } = await this.#get(address, options)
    const { latencyMs } = await link.hello(headers, options.signal)
    return { backend: 'mesh', kind, hops, latencyMs, ...(link.remoteAddress !== undefined && { remoteAddress: link.remoteAddress }) }
  }

  /** A stream to the service. A link that turns out to be dead is replaced once. */
  async dial(address: string, options: DialOptions): Promise<LinkStream> {
    options.signal?.throwIfAborted()
    const id = idOf(address, options)
    for (let attempt = 0; ; attempt++) {
      const up = this.#up.get(id)
      const { link, authority, headers } = up?.link.usable === true ? up : await this.#get(address, options)
      try {
        if (options.confirm === true) await link.hello(headers, options.signal)
        return link.openStream(authority, headers)
      } catch (error) {
        if (attempt > 0) throw error
      }
    }
  }

  /** The signed record that the publisher at a key shows. */
  async fetchRecord(address: string, signal: AbortSignal): Promise<Uint8Array> {
    return (await this.#get(address, { signal })).link.fetchRecord(signal)
  }

  /** Links that are up. */
  async links(): Promise<readonly { readonly link: Link; readonly latencyMs: number }[]> {
    const entries = await Promise.allSettled(this.#entries.values())
    return entries.flatMap((entry) => (entry.status === 'fulfilled' && entry.value.link.usable ? [entry.value] : []))
  }

  close(): void {
    this.#closing.abort(new Error('closed'))
    for (const entry of this.#entries.values()) {
      entry.then(({ link }) => link.close({ reason: 'this side stopped' })).catch(() => {})
    }
    this.#entries.clear()
  }

  async #get(address: string, options: DialOptions): Promise<PublisherLink> {
    options.signal?.throwIfAborted()
    const id = idOf(address, options)
    const known = this.#entries.get(id)
    const entry = known ?? this.#open(id, address, options)
    const opened = await untilAborted(entry, options.signal)
    if (opened.link.usable) return opened
    if (this.#entries.get(id) === entry) this.#entries.delete(id)
    // It was good once; whoever comes first makes a new one.
    return known === undefined ? opened : this.#get(address, options)
  }

  #open(id: string, address: string, options: DialOptions): Promise<PublisherLink> {
    this.#makeRoom()
    // Several callers wait for one attempt: it ends by its own limit of time, not when the first of them gives up.
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REACH_TIMEOUT_MS)])
    const entry = this.#connect(address, options, signal)
    this.#entries.set(id, entry)
    const forget = (): void => {
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
    }
    entry.then((opened) => {
      this.#up.set(id, opened)
      opened.link.onClose(() => {
        if (this.#up.get(id) === opened) this.#up.delete(id)
        forget()
      })
    }, forget)
    return entry
  }

  async #connect(address: string, options: DialOptions, signal: AbortSignal): Promise<PublisherLink> {
    const { serviceKey, direct } = parseBeamAddress(address)
    const { discovery, clock, logger, notFound } = this.#options
    const identity = options.identity ?? generateIdentity()
    const found = direct === undefined ? findContacts(discovery, serviceKey, { signal, now: clock.now }) : only({ kind: 'tcp', ...direct })
    const wanted = hopsOf(options)
    const dial = async (contact: Contact, attemptSignal: AbortSignal): Promise<{ dialled: DialledLink; kind: string; hops: number }> => {
      const stopped = AbortSignal.any([attemptSignal, signal])
      const { to, hops } = await this.#wayTo(contact, serviceKey, wanted, stopped)
      const dialled = await dialLink({ to, expectedKey: serviceKey, identity, logger, signal: stopped })
      return { dialled, kind: KINDS[contact.kind], hops }
    }
    const start = clock.monotonic()
    try {
      const { dialled, kind, hops } = await raceContacts(wanted === undefined ? found : relaysOnly(found), dial, {
        signal,
        discard: (loser) => loser.dialled.link.close(),
        nothing: notFound,
      })
      logger.debug('link to publisher', { address: sensitive(address), kind, ms: Math.round(clock.monotonic() - start) })
      const headers = await secretHeaders(options.secret, serviceKey, dialled.exportKey)
      return { link: dialled.link, kind, hops, authority: encodeKey('service', serviceKey), headers, latencyMs: clock.monotonic() - start }
    } catch (error) {
      if (!signal.aborted || this.#closing.signal.aborted) throw error
      throw new TimeoutError(`The publisher was not reached within ${REACH_TIMEOUT_MS / 1000} s.`, { cause: error })
    }
  }

  /** What the link is built on: an address, or a byte stream that leads there. */
  async #wayTo(
    contact: Contact,
    service: Uint8Array,
    wanted: number | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly to: DialLinkOptions['to']; readonly hops: number }> {
    if (contact.kind === 'tcp') return { to: contact, hops: 0 }
    if (contact.kind === 'stream') return { to: await contact.open({ signal }), hops: 0 }
    const { key, host, port } = contact
    const before = this.#options.pickRelays((wanted ?? 1) - 1, key)
    const hops = [...before, { key, contact: { host, port } }]
    return { to: await dialThroughRelays(hops, { service }, { logger: this.#options.logger, signal }), hops: hops.length }
  }

  #makeRoom(): void {
    if (this.#entries.size < MAX_PUBLISHER_LINKS) return
    // Maps keep the order of insertion: the first is the oldest.
    for (const [id, entry] of this.#entries) {
      this.#entries.delete(id)
      entry.then(({ link }) => link.close({ graceful: true, reason: 'too many links' })).catch(() => {})
      return
    }
  }
}

/** What `Path.kind` says of a contact. */
const KINDS: Readonly<Record<Contact['kind'], string>> = { tcp: 'direct', stream: 'hole-punched', relay: 'relayed' }

/** How many relays are to be on the way; undefined = as it comes, none at best. @throws ConfigError */
function hopsOf({ network }: DialOptions): number | undefined {
  const hops = network?.['hops']
  if (hops === undefined) return undefined
  if (Number.isInteger(hops) && (hops as number) >= 1 && (hops as number) <= MAX_HOPS) return hops as number
  throw new ConfigError(`A way through relays has 1 to ${MAX_HOPS} of them.`)
}

/** The relays alone, for those who do not want the publisher to see them. */
async function* relaysOnly(found: AsyncIterable<Contact>): AsyncGenerator<Contact, void> {
  for await (const contact of found) if (contact.kind === 'relay') yield contact
}

/** What tells links apart: where to, as whom, with which word, and through how many relays. */
function idOf(address: string, { identity, secret, network }: DialOptions): string {
  if (identity === undefined && secret === undefined && network?.['hops'] === undefined) return address
  return JSON.stringify([
    address,
    identity === undefined ? '' : encodeKey('visitor', identity.publicKey),
    secret ?? '',
    network?.['hops'] ?? 0,
  ])
}

async function* only(contact: Contact): AsyncIterable<Contact> {
  yield contact
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
