import {
  decodeRecord,
  type Announced,
  type Announcement,
  type AnnouncementState,
  type Discovery,
  type DiscoveryStatus,
  type Found,
  type Gossip,
  type RecordCache,
} from '../../../core/index.ts'

/** How the gossip of the running node is reached; undefined while there is none. */
export interface GossipAccess {
  readonly current: { readonly gossip: Gossip; readonly records: RecordCache; readonly peers: () => number } | undefined
}

/** What is said again to a node that came up after it was said first. */
interface Said {
  record: Uint8Array
  sequence: number
  readonly announcement: Announcement
}

/**
 * Discovery by what peers told: a fast memory beside the DHT. What is announced goes to the peers at once, again whenever it changes, and is
 * withdrawn when it ends.
 */
export class GossipDiscovery implements Discovery {
  readonly name = 'gossip'
  readonly #access: GossipAccess
  readonly #said = new Set<Said>()
  #closed = false

  constructor(access: GossipAccess) {
    this.#access = access
  }

  /** The node came up: it is told what was announced before. */
  onStarted(): void {
    for (const { record } of this.#said) this.#publish('announce', record)
  }

  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced {
    const said: Said = { record: announcement.record, sequence: announcement.sequence, announcement }
    this.#said.add(said)
    const publish = (): AnnouncementState => {
      if (!this.#publish('announce', said.record)) return 'pending'
      const { peers } = this.#access.current ?? { peers: () => 0 }
      return peers() > 0 ? 'announced' : 'pending'
    }
    let state = publish()
    if (state === 'announced') queueMicrotask(() => onState?.('announced', 'peers were told'))
    return {
      update: (record, sequence) => {
        said.record = record
        said.sequence = sequence
        state = publish()
      },
      get state() {
        return state
      },
      stop: async () => {
        if (!this.#said.delete(said)) return
        const gone = announcement.withdrawal?.(said.sequence)
        if (gone !== undefined) this.#publish('departure', gone.record)
      },
    }
  }

  async *find(serviceKey: Uint8Array): AsyncGenerator<Found, void> {
    const record = this.#access.current?.records.find(serviceKey)
    if (record !== undefined) yield { source: this.name, contacts: [], record }
  }

  async *claimants(name: string): AsyncGenerator<Uint8Array, void> {
    yield* this.#access.current?.records.claimants(name) ?? []
  }

  status(): DiscoveryStatus {
    const current = this.#access.current
    if (current === undefined) return { state: this.#closed ? 'off' : 'idle' }
    const peers = current.peers()
    return { state: peers > 0 ? 'ready' : 'starting', peers, detail: `${current.records.size} records heard` }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#said.clear()
  }

  /** False: there is nobody to tell. A record that would not be taken as it is said is a fault of ours, and not said. */
  #publish(type: 'announce' | 'departure', record: Uint8Array): boolean {
    const current = this.#access.current
    if (current === undefined) return false
    decodeRecord(record, { now: Date.now() })
    current.gossip.publish({ type, payload: record })
    return true
  }
}
