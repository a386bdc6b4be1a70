import type { Clock } from '../../clock.ts'
import { decodeKey, encodeKey } from '../../identity/address.ts'
import type { LinkStream } from '../../link/link-stream.ts'
import type { Refusal } from '../../link/refusal.ts'
import { UnreachableError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { join } from '../../streams/join.ts'
import type { MeshNode, StreamService } from '../node/mesh-node.ts'
import type { Peer } from '../node/peer.ts'
import { Usage, type PeerUsage } from './peer-usage.ts'
import type { RelayLimits } from './relay-limits.ts'
import { decodeRequest, encodeReservation, isProven, RESERVE_TOPIC } from './reservation.ts'
import { TokenBucket } from './token-bucket.ts'

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

const refusal = (status: number, code: Refusal['code'], message: string): Refusal => ({ status, code, message })
const NOBODY = refusal(404, 'BEAM_ERR_NOT_FOUND', 'This relay does not know the way there.')
const FULL = refusal(503, 'BEAM_ERR_RATE_LIMITED', 'This relay carries as many streams as it can.')
const YOURS_FULL = refusal(429, 'BEAM_ERR_RATE_LIMITED', 'This relay carries as many of your streams as it may.')
const USED_UP = refusal(429, 'BEAM_ERR_RATE_LIMITED', 'You have used up what this relay carries for one peer in a day.')

/**
 * Carries streams between others, within limits: to the nodes that reserved, by the service keys that they proved, and to any of its
 * peers by node key, so that several relays can follow one another. The link end to end is built inside: a relay sees ciphertext.
 */
export class RelayService implements StreamService, Disposable {
  readonly #options: RelayServiceOptions
  readonly #usage: Usage
  readonly #bucket: TokenBucket
  /** Which peer answers for a service key, by the key's text. */
  readonly #services = new Map<string, { readonly peer: string; readonly until: number }>()
  /** Ends of reservations, by peer. */
  readonly #reservations = new Map<string, number>()
  readonly #undo: ReadonlyArray<() => void>
  #open = 0
  #streams = 0
  #refused = 0
  #bytes = 0

  constructor(options: RelayServiceOptions) {
    const { node, clock, limits } = options
    this.#options = options
    this.#usage = new Usage(clock, limits)
    this.#bucket = new TokenBucket({ clock, bytesPerSecond: limits.bytesPerSecond, burst: limits.bytesPerSecond })
    this.#undo = [
      node.serve(RESERVE_TOPIC, (body, { key }) => this.#reserve(body, key)),
      node.onPeer(({ peer, what }) => {
        if (what === 'down') this.#forget(peer.id)
      }),
    ]
  }

  get figures(): RelayFigures {
    return {
      streams: this.#streams,
      openStreams: this.#open,
      refused: this.#refused,
      bytes: this.#bytes,
      peersHelped: this.#usage.size,
      reservations: this.#reservations.size,
    }
  }

  judge(authority: string, from: Buffer): Refusal | undefined {
    const { limits } = this.#options
    const usage = this.#usage.of(from.toString('hex'))
    const verdict =
      this.#target(authority) === undefined && this.#options.knows?.(authority) !== true
        ? NOBODY
        : this.#open >= limits.streams
          ? FULL
          : usage.streams >= limits.streamsPerPeer
            ? YOURS_FULL
            : usage.bytesToday >= limits.bytesPerDayPerPeer
              ? USED_UP
              : undefined
    if (verdict !== undefined) this.#refused++
    return verdict
  }

  take(stream: LinkStream, from: Buffer): void {
    void this.#carry(stream, this.#usage.of(from.toString('hex')))
  }

  [Symbol.dispose](): void {
    for (const end of this.#undo) end()
    this.#services.clear()
    this.#reservations.clear()
  }

  async #carry(stream: LinkStream, usage: PeerUsage): Promise<void> {
    usage.streams++
    this.#open++
    this.#streams++
    try {
      const target = this.#target(stream.authority) ?? (await this.#options.connect?.(stream.authority))
      if (target === undefined) return stream.refuse(NOBODY)
      const onward = target.openStream(stream.authority)
      const pace = (bytes: number): number => {
        this.#bytes += bytes
        return Math.max(usage.take(bytes), this.#bucket.take(bytes))
      }
      const { outcome, error } = await join(stream, onward, { pace })
      this.#options.logger.debug('relayed stream ended', { outcome, reason: error?.message })
    } catch (error) {
      stream.destroy(error as Error)
    } finally {
      usage.streams--
      this.#open--
    }
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

  #sweep(): void {
    const now = this.#options.clock.now()
    for (const [peer, until] of this.#reservations) if (until < now) this.#forget(peer)
  }

  #forget(peer: string): void {
    this.#reservations.delete(peer)
    for (const [service, { peer: holder }] of this.#services) if (holder === peer) this.#services.delete(service)
  }
}
