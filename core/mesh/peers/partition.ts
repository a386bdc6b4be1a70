import type { Clock } from '../../clock.ts'
import type { MeshNode } from '../node/mesh-node.ts'
import type { PeerSet } from './peer-set.ts'

/** How often it is looked whether a part of the network has gone. */
const STEP_MS = 2_000
/** Two and a half heartbeats: one may be lost on its way, all of a part of the network at once are not. */
const HEARTBEATS_MISSED = 2.5
/** Links that end within this time end together. A dead one is noticed within 10 s of being asked. */
const TOGETHER_MS = 12_000
/** Fewer than this are crashes; so is a smaller share of those that were known. */
const MIN_LOST = 3
const MIN_SHARE = 0.25
/** Nodes that were not heard of for so long have gone for good, as far as this is concerned; slower searches go on elsewhere. */
const GIVEN_UP_AFTER_MS = 900_000
/** Nodes that are watched: as many as gossip remembers. */
const MAX_WATCHED = 8_192
/** Lost nodes that are dialled at a step, by each of those that are looking: one that answers is enough for all. */
const SOUGHT_AT_ONCE = 2

/** That a part of the network seems to be cut off: measured, not proven. */
export interface PartitionSuspicion {
  /** Milliseconds since the epoch. */
  readonly since: number
  /** Nodes that fell silent together, and how many are still heard. */
  readonly lost: number
  readonly heard: number
}

/** What is watched. */
export interface PartitionWatchOptions {
  readonly node: MeshNode
  readonly peers: Pick<PeerSet, 'seek'>
  readonly clock: Clock
  /** How often nodes say that they live. */
  readonly heartbeatMs: number
  readonly random?: () => number
}

/**
 * Notices when many nodes fall silent at once, as happens when the network is cut in two, and tries some of them every other second as long as
 * that lasts. Each half finds the other like this as soon as there is a way again; ordinary attempts would come minutes later.
 */
export class PartitionWatch implements Disposable {
  readonly #options: PartitionWatchOptions
  /** When each was last heard of, on the monotonic clock; those longest ago first. */
  readonly #heardAt = new Map<string, number>()
  /** Peers whose links ended lately, and when. */
  readonly #ended = new Map<string, number>()
  readonly #lost = new Set<string>()
  readonly #undo: ReadonlyArray<() => void>
  #since: number | undefined

  constructor(options: PartitionWatchOptions) {
    const { node, clock } = options
    this.#options = options
    this.#undo = [
      node.onPeer(({ peer, what }) => (what === 'up' ? this.heard(peer.id) : this.#ended.set(peer.id, clock.monotonic()))),
      clock.every(STEP_MS, () => this.step()),
    ]
  }

  /** Undefined as long as nothing speaks for it. */
  get suspicion(): PartitionSuspicion | undefined {
    if (this.#since === undefined) return undefined
    return { since: this.#since, lost: this.#lost.size, heard: this.#heardAt.size - this.#lost.size }
  }

  /** A node is there. */
  heard(id: string): void {
    this.#heardAt.delete(id)
    this.#heardAt.set(id, this.#options.clock.monotonic())
    this.#ended.delete(id)
    this.#lost.delete(id)
    for (const oldest of this.#heardAt.keys()) {
      if (this.#heardAt.size <= MAX_WATCHED) break
      this.#forget(oldest)
    }
  }

  /** Called by the clock. */
  step(): void {
    const { clock, node, peers } = this.#options
    const now = clock.monotonic()
    for (const { id } of node.peers) this.heard(id)
    for (const [id, at] of this.#heardAt) {
      if (now - at < GIVEN_UP_AFTER_MS) break
      this.#forget(id)
    }
    for (const [id, at] of this.#ended) if (now - at > TOGETHER_MS) this.#ended.delete(id)
    const candidates = this.#silent(now)
    const links = [...this.#ended.keys()].filter((id) => this.#heardAt.has(id))
    if (isMany(links.length, links.length + node.peers.length)) for (const id of links) this.#lost.add(id)
    if (isMany(candidates.length, this.#heardAt.size)) for (const id of candidates) this.#lost.add(id)
    if (this.#lost.size < MIN_LOST) {
      // One that came back brings news of the others: the few that are left have crashed.
      this.#lost.clear()
      this.#since = undefined
      return
    }
    this.#since ??= Math.floor(clock.now())
    peers.seek(this.#some())
  }

  [Symbol.dispose](): void {
    for (const end of this.#undo) end()
  }

  /** Those whose heartbeats are overdue. */
  #silent(now: number): string[] {
    const overdueMs = this.#options.heartbeatMs * HEARTBEATS_MISSED
    return [...this.#heardAt].filter(([, at]) => now - at > overdueMs).map(([id]) => id)
  }

  #some(): string[] {
    const random = this.#options.random ?? Math.random
    const all = [...this.#lost]
    return Array.from({ length: SOUGHT_AT_ONCE }, () => all[Math.floor(random() * all.length)] ?? '')
  }

  #forget(id: string): void {
    this.#heardAt.delete(id)
    this.#ended.delete(id)
    this.#lost.delete(id)
  }
}

function isMany(lost: number, known: number): boolean {
  return lost >= MIN_LOST && lost >= known * MIN_SHARE
}
