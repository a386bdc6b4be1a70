import type { Announced, Announcement, AnnouncementState, Clock, Discovery, DiscoveryStatus, Found } from '../../../core/index.ts'
import { DhtAnnouncement } from './dht-announcement.ts'
import { claimantsInDht, findInDht } from './dht-lookup.ts'
import type { DhtNode } from './dht-node.ts'

/** What discovery by the DHT needs. */
export interface DhtDiscoveryOptions {
  /** The node of this process. Several sources may share it; whoever made it closes it. */
  readonly node: DhtNode
  readonly clock?: Clock
  /** A number in [0, 1) for waits; tests pass their own. */
  readonly random?: () => number
}

/** Discovery by the DHT: signed records under service keys, names, and UDP hole punching. */
export function dhtDiscovery(options: DhtDiscoveryOptions): Discovery {
  return new DhtDiscovery(options)
}

class DhtDiscovery implements Discovery {
  readonly name = 'dht'
  readonly #options: DhtDiscoveryOptions
  readonly #announced = new Set<DhtAnnouncement>()
  readonly #closing = new AbortController()

  constructor(options: DhtDiscoveryOptions) {
    this.#options = options
  }

  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced {
    const { node, clock, random } = this.#options
    const announced = new DhtAnnouncement(node, announcement, {
      ...(clock === undefined ? {} : { clock }),
      random,
      onState,
      onStopped: () => this.#announced.delete(announced),
    })
    this.#announced.add(announced)
    return announced
  }

  find(serviceKey: Uint8Array, { signal }: { readonly signal: AbortSignal }): AsyncIterable<Found> {
    return findInDht(this.#options.node, this.name, serviceKey, { signal: AbortSignal.any([signal, this.#closing.signal]) })
  }

  claimants(name: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array> {
    return claimantsInDht(this.#options.node, name, { signal: AbortSignal.any([signal, this.#closing.signal]) })
  }

  status(): DiscoveryStatus {
    return this.#options.node.status()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#announced].map((announced) => announced.stop()))
  }
}
