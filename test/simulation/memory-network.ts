import { encodeKey, generateIdentity, UnreachableError, type Clock, type Identity, type MeshNode, type Peer } from '../../core/index.ts'

type Handler = (
  body: Buffer,
  from: { readonly key: Buffer; readonly remoteAddress: string | undefined },
) => Uint8Array | Promise<Uint8Array>
type Change = { readonly peer: Peer; readonly what: 'up' | 'down'; readonly reason?: string }

/** Time that passes in ticks: what is due is called, and what follows from it gets its turn. */
export class TickingClock implements Clock {
  static readonly TICK_MS = 250
  #now = Date.UTC(2026, 0, 1)
  readonly #due = new Set<{ at: number; readonly fn: () => void; readonly everyMs?: number }>()

  readonly now = (): number => this.#now
  readonly monotonic = (): number => this.#now

  after(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#now + ms, fn })
  }

  every(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#now + ms, fn, everyMs: ms })
  }

  async advance(ms: number): Promise<void> {
    for (const end = this.#now + ms; this.#now < end;) {
      this.#now += TickingClock.TICK_MS
      for (const entry of [...this.#due]) {
        if (entry.at > this.#now || !this.#due.has(entry)) continue
        if (entry.everyMs === undefined) this.#due.delete(entry)
        else entry.at += entry.everyMs
        entry.fn()
      }
      // A question, its answer, and what is asked because of it.
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Time in which nothing happens. */
  jump(ms: number): void {
    this.#now += ms
  }

  #add(entry: { at: number; readonly fn: () => void; readonly everyMs?: number }): () => void {
    this.#due.add(entry)
    return () => this.#due.delete(entry)
  }
}

/** Nodes in memory, each at an address of its own: what the set of peers and gossip see of a `MeshNode`, without sockets. */
export class MemoryNetwork {
  readonly nodes = new Map<string, MemoryNode>()
  /** Whether a link may be made between two nodes. */
  allows: (a: MemoryNode, b: MemoryNode) => boolean = () => true
  /** Dials that were made, by when. */
  readonly dials: Array<{ readonly at: number; readonly to: string }> = []
  readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(host: string, identity: Identity = generateIdentity()): MemoryNode {
    const node = new MemoryNode(this, host, identity)
    this.nodes.set(`${host}:4001`, node)
    return node
  }

  /** Ends every link that is not allowed (any more). */
  cut(): void {
    for (const node of this.nodes.values()) {
      for (const peer of node.links) if (!this.allows(node, peer.remote)) peer.close('cut')
    }
  }
}

/** One end of a link. */
export class MemoryPeer {
  readonly key: Buffer
  readonly id: string
  readonly openStreams = 1
  readonly remoteAddress: string
  readonly remote: MemoryNode
  readonly direction: 'in' | 'out'
  readonly since: number
  latencyMs: number | undefined = 1
  usable = true
  other: MemoryPeer | undefined
  readonly #own: MemoryNode
  readonly #listeners: Array<(reason: string) => void> = []

  constructor(own: MemoryNode, remote: MemoryNode, direction: 'in' | 'out') {
    this.#own = own
    this.remote = remote
    this.direction = direction
    this.since = own.network.clock.monotonic()
    this.key = Buffer.from(remote.identity.publicKey)
    this.id = remote.id
    this.remoteAddress = `${remote.contact.host}:4001`
  }

  async ask(topic: string, body: Uint8Array): Promise<Buffer> {
    await new Promise((resolve) => setImmediate(resolve))
    if (!this.usable) throw new UnreachableError('The peer is gone.', { code: 'BEAM_ERR_LINK_CLOSED' })
    const own = this.#own
    return Buffer.from(await this.remote.answer(topic, Buffer.from(body), own))
  }

  onClose(listener: (reason: string) => void): void {
    if (this.usable) this.#listeners.push(listener)
    else listener('closed')
  }

  close(reason: string): void {
    if (!this.usable) return
    this.usable = false
    for (const listener of this.#listeners.splice(0)) listener(reason)
    this.other?.close(reason)
  }
}

/** A node in memory. */
export class MemoryNode {
  readonly id: string
  readonly identity: Identity
  readonly contact: { readonly host: string; readonly port: number }
  readonly network: MemoryNetwork
  admit: (peer: Peer) => string | undefined = () => undefined
  readonly #topics = new Map<string, Handler>()
  readonly #peers = new Map<string, MemoryPeer>()
  readonly #listeners = new Set<(change: Change) => void>()

  constructor(network: MemoryNetwork, host: string, identity: Identity) {
    this.network = network
    this.identity = identity
    this.id = encodeKey('node', identity.publicKey)
    this.contact = { host, port: 4001 }
  }

  /** As the parts of core see it. */
  get asNode(): MeshNode {
    return this as unknown as MeshNode
  }

  get links(): readonly MemoryPeer[] {
    return [...this.#peers.values()]
  }

  get peers(): readonly Peer[] {
    return this.links as unknown as readonly Peer[]
  }

  peer(id: string): Peer | undefined {
    return this.#peers.get(id) as unknown as Peer | undefined
  }

  onPeer(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  serve(topic: string, handler: Handler): () => void {
    this.#topics.set(topic, handler)
    return () => this.#topics.delete(topic)
  }

  answer(topic: string, body: Buffer, from: MemoryNode): Uint8Array | Promise<Uint8Array> {
    const handler = this.#topics.get(topic)
    if (handler === undefined) throw new UnreachableError('This node does not serve that.', { code: 'BEAM_ERR_NOT_FOUND' })
    return handler(body, { key: Buffer.from(from.identity.publicKey), remoteAddress: `${from.contact.host}:4001` })
  }

  async connect(to: { readonly host: string; readonly port: number }, key: Uint8Array): Promise<Peer> {
    const { network } = this
    network.dials.push({ at: network.clock.now(), to: to.host })
    await new Promise((resolve) => setImmediate(resolve))
    const known = this.peer(encodeKey('node', key))
    if (known !== undefined) return known
    const remote = network.nodes.get(`${to.host}:${to.port}`)
    const there = remote !== undefined && remote !== this && Buffer.compare(remote.identity.publicKey, key) === 0
    if (!there || !network.allows(this, remote)) throw new UnreachableError('Nobody there.', { code: 'BEAM_ERR_NOT_FOUND' })
    const [out, into] = [new MemoryPeer(this, remote, 'out'), new MemoryPeer(remote, this, 'in')]
    out.other = into
    into.other = out
    this.#take(out)
    if (out.usable) remote.#take(into)
    return out as unknown as Peer
  }

  async inquire(to: { readonly host: string; readonly port: number }, _key: Uint8Array, topic: string): Promise<Buffer> {
    await new Promise((resolve) => setImmediate(resolve))
    const remote = this.network.nodes.get(`${to.host}:${to.port}`)
    if (remote === undefined || !this.network.allows(this, remote))
      throw new UnreachableError('Nobody there.', { code: 'BEAM_ERR_NOT_FOUND' })
    return Buffer.from(await remote.answer(topic, Buffer.alloc(0), this))
  }

  #take(peer: MemoryPeer): void {
    const seen = peer as unknown as Peer
    const refusal = this.#peers.has(peer.id) ? 'a link stands already' : this.admit(seen)
    if (refusal !== undefined) return peer.close(refusal)
    this.#peers.set(peer.id, peer)
    for (const listener of this.#listeners) listener({ peer: seen, what: 'up' })
    peer.onClose((reason) => {
      if (this.#peers.get(peer.id) === peer) this.#peers.delete(peer.id)
      for (const listener of this.#listeners) listener({ peer: seen, what: 'down', reason })
    })
  }
}
