import type { Peer } from './peer.ts'

/** Told of peers that come and go. */
export type PeerListener = (change: { readonly peer: Peer; readonly what: 'up' | 'down'; readonly reason?: string }) => void

/** The peers of a node: one link to each, and a bounded number of them. */
export class PeerTable {
  readonly #ownId: string
  readonly #maxPeers: number
  readonly #peers = new Map<string, Peer>()
  readonly #listeners = new Set<PeerListener>()

  constructor(options: { readonly ownId: string; readonly maxPeers: number }) {
    this.#ownId = options.ownId
    this.#maxPeers = options.maxPeers
  }

  get peers(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  get(id: string): Peer | undefined {
    return this.#peers.get(id)
  }

  listen(listener: PeerListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes a peer in. Where both sides dialled at once, both keep the link that the one with the smaller id dialled, and nobody is told: the
   * peer was there all the time. A second link in the same direction comes from a peer that has lost the first (it was restarted): the new
   * one counts, and what the peer held for this node went with the first.
   * @returns the peer that counts; undefined when there is no room, or when it is this node itself
   */
  add(peer: Peer): Peer | undefined {
    if (peer.id === this.#ownId) return undefined
    const known = this.#peers.get(peer.id)
    if (known === undefined) {
      if (this.#peers.size >= this.#maxPeers) return undefined
      return this.#put(peer)
    }
    if (known.usable && known.direction !== peer.direction) {
      if (this.#wins(known)) {
        peer.close('a link to this peer stands already')
        return known
      }
      this.#put(peer)
    } else {
      this.#remove(known, 'another link to this peer stands')
      this.#put(peer)
    }
    known.close('another link to this peer stands')
    return peer
  }

  #wins({ id, direction }: Peer): boolean {
    return direction === 'out' ? this.#ownId < id : id < this.#ownId
  }

  #put(peer: Peer): Peer {
    const replaced = this.#peers.has(peer.id)
    this.#peers.set(peer.id, peer)
    if (!replaced) this.#tell({ peer, what: 'up' })
    peer.onClose((reason) => this.#remove(peer, reason))
    return peer
  }

  #remove(peer: Peer, reason: string): void {
    if (this.#peers.get(peer.id) !== peer) return
    this.#peers.delete(peer.id)
    this.#tell({ peer, what: 'down', reason })
  }

  #tell(change: Parameters<PeerListener>[0]): void {
    for (const listener of this.#listeners) listener(change)
  }
}
