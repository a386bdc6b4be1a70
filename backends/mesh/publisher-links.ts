import { encodeKey, isBeamError, type LinkStream, sensitive, type DialOptions, type Link, type Path } from '../../core/index.ts'
import { MAX_PUBLISHER_LINKS, REACH_TIMEOUT_MS, UPGRADE_AFTER_MS, URGENT_RELAY_DELAY_MS } from './constants.ts'
import { hopsOf, linkOver, openLink, type OpenLinkParts, type PublisherLink } from './open-link.ts'
import { punchAsVisitor } from './punch/visitor-punch.ts'
import { watchLink } from './watch-link.ts'

/** The visitor's side: one link to each publisher that is dialled, made again when it was lost. */
export class PublisherLinks {
  readonly #options: OpenLinkParts
  readonly #entries = new Map<string, Promise<PublisherLink>>()
  /** Those of them that are up, to be had without waiting. */
  readonly #up = new Map<string, PublisherLink>()
  /** Those that take no more streams, and end with the last that runs on them. */
  readonly #leaving = new Set<Link>()
  readonly #closing = new AbortController()

  constructor(options: OpenLinkParts) {
    this.#options = options
  }

  /** Reaches the publisher, asks whether one is let in, and says how it was reached. */
  async reach(address: string, options: DialOptions): Promise<Path> {
    const { link, kind, hops, latencyMs } = await this.#greeted(address, options)
    return { backend: 'mesh', kind, hops, latencyMs, ...(link.remoteAddress !== undefined && { remoteAddress: link.remoteAddress }) }
  }

  /** A link on which one was let in just now. One that ends meanwhile (a better way took its place, or its relay went) is replaced once. */
  async #greeted(address: string, options: DialOptions): Promise<PublisherLink> {
    for (let attempt = 0; ; attempt++) {
      const opened = await this.#get(address, options)
      try {
        return { ...opened, ...(await opened.link.hello(opened.headers, options.signal)) }
      } catch (error) {
        if (attempt > 0 || !isBeamError(error) || error.code !== 'BEAM_ERR_LINK_CLOSED') throw error
      }
    }
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
    for (const link of this.#leaving) link.close({ reason: 'this side stopped' })
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

  #open(id: string, address: string, options: DialOptions, relayDelayMs?: number): Promise<PublisherLink> {
    this.#makeRoom()
    // Several callers wait for one attempt: it ends by its own limit of time, not when the first of them gives up.
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REACH_TIMEOUT_MS)])
    const entry = openLink(
      { address, dial: options, ways: 'all', signal, ...(relayDelayMs === undefined ? {} : { relayDelayMs }) },
      this.#options,
    )
    this.#keep(id, entry, { address, options })
    entry.then(
      (opened) => {
        if (opened.kind === 'relayed' && hopsOf(options) === undefined) this.#upgradeLater(id, { address, options, opened, attempt: 0 })
      },
      () => {},
    )
    return entry
  }

  /** Makes a link the one that new streams use. */
  #keep(id: string, entry: Promise<PublisherLink>, { address, options }: Pick<Upgrade, 'address' | 'options'>): void {
    this.#entries.set(id, entry)
    const forget = (): void => {
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
    }
    entry.then((opened) => {
      if (this.#entries.get(id) !== entry) return
      this.#up.set(id, opened)
      watchLink(opened.link, {
        clock: this.#options.clock,
        roundTripMs: opened.latencyMs,
        onSilent: () => {
          if (this.#up.get(id) !== opened) return
          this.#up.delete(id)
          forget()
          this.#letGo(opened.link, 'the far end fell silent')
          // It was in use, so another is wanted now. Where a relay was on the way, nothing direct was found: the other relays need not wait.
          if (!this.#closing.signal.aborted) void this.#open(id, address, options, opened.kind === 'relayed' ? 0 : URGENT_RELAY_DELAY_MS)
        },
      })
      opened.link.onClose(() => {
        if (this.#up.get(id) === opened) this.#up.delete(id)
        forget()
      })
    }, forget)
  }

  /** A relay costs others something and both ends time: a direct way is looked for behind its back, again and again while it is used. */
  #upgradeLater(id: string, from: Upgrade): void {
    const waitMs = UPGRADE_AFTER_MS[Math.min(from.attempt, UPGRADE_AFTER_MS.length - 1)] ?? 0
    const cancel = this.#options.clock.after(waitMs, () => void this.#upgrade(id, from), { unref: true })
    from.opened.link.onClose(cancel)
  }

  async #upgrade(id: string, from: Upgrade): Promise<void> {
    const { address, options, opened, attempt } = from
    if (this.#up.get(id) !== opened || this.#closing.signal.aborted) return
    try {
      const better = await this.#betterWay(from)
      if (this.#up.get(id) !== opened || this.#closing.signal.aborted) return better.link.close()
      this.#options.logger.debug('a direct way took the place of a relay', { address: sensitive(address), kind: better.kind })
      this.#keep(id, Promise.resolve(better), from)
      this.#letGo(opened.link, 'a direct way took its place')
    } catch (error) {
      this.#options.logger.debug('no direct way', { address: sensitive(address), reason: (error as Error).message })
      this.#upgradeLater(id, { address, options, opened, attempt: attempt + 1 })
    }
  }

  /** What can be dialled, else a hole that both ends punch. */
  async #betterWay({ address, options, opened }: Upgrade): Promise<PublisherLink> {
    const { logger } = this.#options
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REACH_TIMEOUT_MS)])
    const punched = async (): Promise<PublisherLink> => {
      if (opened.relay === undefined) throw new Error('there is no relay to meet at')
      const socket = await punchAsVisitor(opened.link, opened.relay, { logger, signal })
      return linkOver(socket, { address, dial: options, signal }, this.#options)
    }
    return punched().catch(() => openLink({ address, dial: options, ways: 'direct', signal }, this.#options))
  }

  #makeRoom(): void {
    if (this.#entries.size < MAX_PUBLISHER_LINKS) return
    // Maps keep the order of insertion: the first is the oldest.
    for (const [id, entry] of this.#entries) {
      this.#entries.delete(id)
      entry.then(({ link }) => this.#letGo(link, 'too many links')).catch(() => {})
      return
    }
  }

  /** Streams that run on it come to their end there. */
  #letGo(link: Link, reason: string): void {
    for (const old of this.#leaving) {
      if (old.openStreams > 0) continue
      // A far end that is silent would never close its side.
      old.close()
      this.#leaving.delete(old)
    }
    this.#leaving.add(link)
    link.close({ graceful: true, reason })
  }
}

/** A relayed link for which a better one is looked for. */
interface Upgrade {
  readonly address: string
  readonly options: DialOptions
  readonly opened: PublisherLink
  /** How often it was tried. */
  readonly attempt: number
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

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
