import {
  dialLink,
  encodeKey,
  generateIdentity,
  type LinkStream,
  parseBeamAddress,
  secretHeaders,
  sensitive,
  TimeoutError,
  type UnreachableError,
  type Clock,
  type Contact,
  type DialledLink,
  type DialOptions,
  type Discovery,
  type Link,
  type Logger,
  type Path,
} from '../../core/index.ts'
import { MAX_PUBLISHER_LINKS, REACH_TIMEOUT_MS } from './constants.ts'
import { findContacts } from './find-contacts.ts'
import { raceContacts } from './race.ts'

/** A link to a publisher, ready for streams. */
interface PublisherLink {
  readonly link: Link
  readonly kind: string
  readonly authority: string
  readonly headers: Record<string, string>
  latencyMs: number
}

/** What the links need. */
export interface PublisherLinksOptions {
  readonly discovery: Discovery
  readonly clock: Clock
  readonly logger: Logger
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
    const { link, kind, headers } = await this.#get(address, options)
    const { latencyMs } = await link.hello(headers, options.signal)
    return { backend: 'mesh', kind, hops: 0, latencyMs, ...(link.remoteAddress !== undefined && { remoteAddress: link.remoteAddress }) }
  }

  /** A stream to the service. A link that turns out to be dead is replaced once. */
  async dial(address: string, options: DialOptions): Promise<LinkStream> {
    options.signal?.throwIfAborted()
    const id = idOf(address, options)
    for (let attempt = 0; ; attempt++) {
      const up = this.#up.get(id)
      const { link, authority, headers } = up?.link.usable === true ? up : await this.#get(address, options)
      try {
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
    const dial = async (contact: Contact, attemptSignal: AbortSignal): Promise<{ dialled: DialledLink; kind: string }> => {
      const stopped = AbortSignal.any([attemptSignal, signal])
      const to = contact.kind === 'tcp' ? contact : await contact.open({ signal: stopped })
      const dialled = await dialLink({ to, expectedKey: serviceKey, identity, logger, signal: stopped })
      return { dialled, kind: contact.kind === 'tcp' ? 'direct' : 'hole-punched' }
    }
    const start = clock.monotonic()
    try {
      const { dialled, kind } = await raceContacts(found, dial, {
        signal,
        discard: (loser) => loser.dialled.link.close(),
        nothing: notFound,
      })
      logger.debug('link to publisher', { address: sensitive(address), kind, ms: Math.round(clock.monotonic() - start) })
      const headers = await secretHeaders(options.secret, serviceKey, dialled.exportKey)
      return { link: dialled.link, kind, authority: encodeKey('service', serviceKey), headers, latencyMs: clock.monotonic() - start }
    } catch (error) {
      if (!signal.aborted || this.#closing.signal.aborted) throw error
      throw new TimeoutError(`The publisher was not reached within ${REACH_TIMEOUT_MS / 1000} s.`, { cause: error })
    }
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

/** What tells links apart: where to, as whom, and with which word. */
function idOf(address: string, { identity, secret }: DialOptions): string {
  if (identity === undefined && secret === undefined) return address
  return JSON.stringify([address, identity === undefined ? '' : encodeKey('visitor', identity.publicKey), secret ?? ''])
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
