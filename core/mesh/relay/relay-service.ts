import type { Clock } from '../../clock.ts'
import { decodeKey, encodeKey } from '../../identity/address.ts'
import type { LinkStream } from '../../link/link-stream.ts'
import type { Refusal } from '../../link/refusal.ts'
import { UnreachableError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { MeshNode, StreamService } from '../node/mesh-node.ts'
import type { Peer } from '../node/peer.ts'
import { decodeSplice, encodeToken, SPLICE_TOPIC } from './meeting.ts'
import { RelayLedger, type Carried } from './relay-ledger.ts'
import type { RelayLimits } from './relay-limits.ts'
import { decodeRequest, encodeReservation, isProven, RESERVE_TOPIC } from './reservation.ts'
import { Splicer } from './splicer.ts'

/** What a relay did for others, since it began. */
export interface RelayFigures {
  readonly streams: number
  readonly openStreams: number
  readonly refused: number
  /** Bytes, both directions together. */
  readonly bytes: number
  /** Nodes that reach others through this one, and nodes that are reached through it now. */
  readonly peersHelped: number
  readonly reservations: number
}

/** What a relay is made of. */
export interface RelayServiceOptions {
  readonly node: MeshNode
  /** The node's own key. */
  readonly nodeKey: Uint8Array
  readonly limits: RelayLimits
  readonly clock: Clock
  readonly logger: Logger
  /** Whether a node that is no peer can be linked to, so that a way through several relays leads on. Default: none can. */
  readonly knows?: (id: string) => boolean
  /** Makes a link to such a node. */
  readonly connect?: (id: string) => Promise<Peer>
}

const NOBODY: Refusal = { status: 404, code: 'BEAM_ERR_NOT_FOUND', message: 'This relay does not know the way there.' }

const refusedBy = ({ code, message }: Refusal): UnreachableError => new UnreachableError(message, { code, retry: 'later' })

/**
 * Carries streams between others, within limits: to the nodes that reserved, by the service keys that they proved, and to any of its
 * peers by node key, so that several relays can follow one another. The link end to end is built inside: a relay sees ciphertext.
 */
export class RelayService implements StreamService, Disposable {
  readonly #options: RelayServiceOptions
  readonly #ledger: RelayLedger
  /** Which peer answers for a service key, by the key's text. */
  readonly #services = new Map<string, { readonly peer: string; readonly until: number }>()
  /** Ends of reservations, by peer. */
  readonly #reservations = new Map<string, number>()
  readonly #undo: ReadonlyArray<() => void>
  readonly #splicer: Splicer

  constructor(options: RelayServiceOptions) {
    const { node, clock, limits } = options
    this.#options = options
    this.#ledger = new RelayLedger(clock, limits)
    this.#splicer = new Splicer(options)
    this.#undo = [
      node.serve(RESERVE_TOPIC, (body, { key }) => this.#reserve(body, key)),
      node.serve(SPLICE_TOPIC, (body, { key }) => this.#splice(body, key)),
    ]
  }

  get figures(): RelayFigures {
    return {
      streams: this.#ledger.streams,
      openStreams: this.#ledger.open,
      refused: this.#ledger.refused,
      bytes: this.#ledger.bytes,
      peersHelped: this.#ledger.peers,
      reservations: this.#holders(this.#options.clock.now()).length,
    }
  }

  judge(authority: string, from: Buffer): Refusal | undefined {
    const known = this.#target(authority) !== undefined || this.#options.knows?.(authority) === true
    const verdict = known ? this.#ledger.verdict(from.toString('hex')) : NOBODY
    if (verdict !== undefined) this.#ledger.refused++
    return verdict
  }

  take(stream: LinkStream, from: Buffer): void {
    void this.#carry(stream, this.#ledger.begin(from.toString('hex')))
  }

  [Symbol.dispose](): void {
    for (const end of this.#undo) end()
    this.#splicer[Symbol.dispose]()
    this.#services.clear()
    this.#reservations.clear()
  }

  async #carry(stream: LinkStream, carried: Carried): Promise<void> {
    try {
      const target = await this.#reach(stream.authority)
      if (target === undefined) return stream.refuse(NOBODY)
      const { outcome, error } = await carried.join(stream, target.openStream(stream.authority))
      this.#options.logger.debug('relayed stream ended', { outcome, reason: error?.message })
    } catch (error) {
      stream.destroy(error as Error)
    } finally {
      carried.end()
    }
  }

  /** A way of its own for a heavy stream; it counts as a stream. */
  async #splice(body: Buffer, key: Buffer): Promise<Uint8Array> {
    const authority = decodeSplice(body)
    const refused = this.judge(authority, key)
    if (refused !== undefined) throw refusedBy(refused)
    const owner = key.toString('hex')
    const carried = this.#ledger.begin(owner)
    try {
      const target = await this.#reach(authority)
      if (target === undefined) throw refusedBy(NOBODY)
      return encodeToken(this.#splicer.prepare({ owner, authority, target, carried }))
    } catch (error) {
      carried.end()
      throw error
    }
  }

  async #reach(authority: string): Promise<Peer | undefined> {
    return this.#target(authority) ?? (await this.#options.connect?.(authority))
  }

  /** The peer to which an authority leads: the holder of a reservation, or the node itself. */
  #target(authority: string): Peer | undefined {
    const { node, clock } = this.#options
    if (decodeKey('service', authority) === undefined) return node.peer(authority)
    const reserved = this.#services.get(authority)
    return reserved === undefined || reserved.until < clock.now() ? undefined : node.peer(reserved.peer)
  }

  #reserve(body: Buffer, key: Buffer): Uint8Array {
    const { node, nodeKey, limits, clock } = this.#options
    const id = encodeKey('node', key)
    if (node.peer(id) === undefined)
      throw new UnreachableError('Only a peer that can be asked can reserve.', { code: 'BEAM_ERR_ACCESS_DENIED' })
    const services = decodeRequest(body)
    this.#sweep()
    if (!this.#reservations.has(id) && this.#reservations.size >= limits.reservations) this.#makeRoom()
    if (!this.#reservations.has(id) && this.#reservations.size >= limits.reservations) {
      throw new UnreachableError('This relay answers for as many nodes as it can.', { code: 'BEAM_ERR_RATE_LIMITED' })
    }
    if (services.some((service) => !isProven(service, { relay: nodeKey, node: key }))) {
      throw new UnreachableError('A service did not sign that this node answers for it.', { code: 'BEAM_ERR_ACCESS_DENIED' })
    }
    this.#forget(id)
    const expiresAt = Math.floor(clock.now() + limits.reservationMs)
    this.#reservations.set(id, expiresAt)
    for (const { serviceKey, until } of services) {
      this.#services.set(encodeKey('service', serviceKey), { peer: id, until: Math.min(until, expiresAt) })
    }
    return encodeReservation({ expiresAt, streams: limits.streamsPerPeer, bytesPerSecond: limits.bytesPerSecondPerPeer })
  }

  /** Nodes that can be reached through this relay now. One whose link broke finds its reservation again when it comes back in time. */
  #holders(now: number): readonly string[] {
    return [...this.#reservations].flatMap(([peer, until]) => (until >= now && this.#options.node.peer(peer) !== undefined ? peer : []))
  }

  /** Those who are here go before those who are away. */
  #makeRoom(): void {
    for (const peer of this.#reservations.keys()) if (this.#options.node.peer(peer) === undefined) this.#forget(peer)
  }

  #sweep(): void {
    const now = this.#options.clock.now()
    for (const [peer, until] of this.#reservations) if (until < now) this.#forget(peer)
  }

  #forget(peer: string): void {
    this.#reservations.delete(peer)
    for (const [service, { peer: holder }] of this.#services) if (holder === peer) this.#services.delete(service)
  }
}
