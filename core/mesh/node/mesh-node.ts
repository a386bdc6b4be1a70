import type { IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { encodeKey } from '../../identity/address.ts'
import { generateIdentity, type Identity } from '../../identity/identity.ts'
import { dialLink } from '../../link/dial-link.ts'
import { LinkListener, type Asker } from '../../link/link-listener.ts'
import type { LinkStream } from '../../link/link-stream.ts'
import type { Link } from '../../link/link.ts'
import type { Refusal } from '../../link/refusal.ts'
import { isReverseOffer, offerReverse, takeReverse } from '../../link/reverse.ts'
import { SideDoor } from '../../link/side-door.ts'
import type { Logger } from '../../logger.ts'
import { sensitive } from '../../sensitive.ts'
import { NODE_OBSERVED, observedPlace } from './observed.ts'
import { Peer, type Direction } from './peer.ts'
import { PeerTable, type PeerListener } from './peer-table.ts'
import { Topics, type TopicHandler } from './topics.ts'

/** Links of a node at a time, when nothing else is asked for: the upper end of 25 to 50, with room for those that are being replaced. */
const DEFAULT_MAX_PEERS = 64

/** Takes the streams that peers open to this node for others: a relay. */
export interface StreamService {
  /** Decides about a stream before a byte of it is read; undefined = granted. */
  judge(authority: string, from: Buffer, headers: IncomingHttpHeaders): Refusal | undefined
  /** Takes a granted stream, and owns it from then on. */
  take(stream: LinkStream, from: Buffer): void
}

/** What a node is made of. */
export interface MeshNodeOptions {
  /** The node key: no service key, no visitor key. */
  readonly identity: Identity
  readonly clock: Clock
  readonly logger: Logger
  /** Where to listen; absent = this node is never dialled. */
  readonly listen?: { readonly host: string; readonly port: number }
  /** Links at a time, in both directions. */
  readonly maxPeers?: number
}

/** Links beside those of peers: who asks something, or is carried through, and goes again. */
const MAX_STRANGERS = 256

const NO_STREAMS: Refusal = { status: 404, code: 'BEAM_ERR_NOT_FOUND', message: 'This node carries no streams for others.' }

/**
 * One node of the mesh: dials and accepts peers, keeps at most one link to each, answers their small requests and hands their streams to
 * whoever carries them (the relay). What is asked and carried is the business of others: `serve` and `carry`.
 */
export class MeshNode implements AsyncDisposable {
  /** The node key as text. */
  readonly id: string
  readonly #options: MeshNodeOptions
  readonly #topics = new Topics()
  readonly #table: PeerTable
  readonly #listener: LinkListener | undefined
  /** Dials under way, by the id of the node. */
  readonly #dialling = new Map<string, Promise<void>>()
  #streams: StreamService | undefined
  /** Connections for the streams of others that this node expects. */
  readonly door = new SideDoor()
  /** Why a peer is not taken; undefined when it is. Whoever keeps the set of peers decides. */
  admit: (peer: Peer) => string | undefined = () => undefined
  readonly #ending = new AbortController()

  constructor(options: MeshNodeOptions) {
    this.#options = options
    this.id = encodeKey('node', options.identity.publicKey)
    this.#table = new PeerTable({ ownId: this.id, maxPeers: options.maxPeers ?? DEFAULT_MAX_PEERS })
    this.serve(NODE_OBSERVED, (_body, { remoteAddress }) => observedPlace(remoteAddress))
    this.#listener = options.listen === undefined ? undefined : this.#listenerOf(options.listen)
  }

  /**
   * Begins to listen; resolves with where, or undefined for a node that is never dialled.
   * @throws BackendUnavailableError when the port cannot be had
   */
  async listen(): Promise<AddressInfo | undefined> {
    return this.#listener?.listen()
  }

  /** Accepts a link on a byte stream that somebody else has listened for (a punched hole, a relay). */
  accept(carrier: Duplex): void {
    if (this.#listener === undefined) carrier.destroy()
    else this.#listener.accept(carrier)
  }

  /** The peers with which a link stands. */
  get peers(): readonly Peer[] {
    return this.#table.peers
  }

  peer(id: string): Peer | undefined {
    return this.#table.get(id)
  }

  /** Told of every peer that comes and goes, until the returned function is called. */
  onPeer(listener: PeerListener): () => void {
    return this.#table.listen(listener)
  }

  /** Answers a topic of small requests, until the returned function is called. */
  serve(topic: string, handler: TopicHandler): () => void {
    return this.#topics.serve(topic, handler)
  }

  /** Takes the streams that peers open for others. */
  carry(service: StreamService | undefined): void {
    this.#streams = service
  }

  /**
   * Makes a link to a node, unless one stands.
   * @throws UnreachableError, TimeoutError, BackendUnavailableError; the signal's reason
   */
  async connect(
    to: { readonly host: string; readonly port: number } | Duplex,
    expectedKey: Uint8Array,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Peer> {
    const id = encodeKey('node', expectedKey)
    const known = this.#table.get(id)
    if (known?.usable === true) return known
    // Two dials at once would make two links, of which the two ends might keep different ones.
    const before = this.#dialling.get(id) ?? Promise.resolve()
    const dial = before.then(() => this.#dial(to, expectedKey, options))
    const settled = dial.then(
      () => {},
      () => {},
    )
    this.#dialling.set(id, settled)
    void settled.then(() => {
      if (this.#dialling.get(id) === settled) this.#dialling.delete(id)
    })
    return dial
  }

  async #dial(
    to: { readonly host: string; readonly port: number } | Duplex,
    expectedKey: Uint8Array,
    options: { readonly signal?: AbortSignal },
  ): Promise<Peer> {
    const known = this.#table.get(encodeKey('node', expectedKey))
    if (known?.usable === true) {
      if ('destroy' in to) to.destroy()
      return known
    }
    const { identity, logger } = this.#options
    const signal = options.signal === undefined ? this.#ending.signal : AbortSignal.any([options.signal, this.#ending.signal])
    const { link } = await dialLink({ to, expectedKey, identity, logger, signal })
    const theirs = offerReverse(link, { logger, peerKey: link.peerKey, ...this.#services(link.peerKey) })
    theirs.onClose((reason) => link.close({ reason }))
    const peer = this.#peerOf(link, link, 'out', 'destroy' in to ? undefined : to)
    return this.#admit(peer) ?? peer
  }

  /**
   * Asks a node one thing under a throw-away key, without becoming its peer: how one learns of others from a node that has no room.
   * @throws UnreachableError, TimeoutError, ProtocolError
   */
  async inquire(
    to: { readonly host: string; readonly port: number },
    expectedKey: Uint8Array,
    topic: string,
    { body = new Uint8Array(), ...options }: { readonly body?: Uint8Array; readonly signal?: AbortSignal } = {},
  ): Promise<Buffer> {
    const { link } = await dialLink({ to, expectedKey, identity: generateIdentity(), logger: this.#options.logger, ...options })
    try {
      return await link.ask(topic, body, options.signal)
    } finally {
      link.close({ reason: 'the question was answered' })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('this node stopped'))
    for (const peer of this.#table.peers) peer.close('this node stopped')
    this.door[Symbol.dispose]()
    await this.#listener?.[Symbol.asyncDispose]()
  }

  #listenerOf(listen: { readonly host: string; readonly port: number }): LinkListener {
    const { identity, logger, maxPeers = DEFAULT_MAX_PEERS } = this.#options
    return new LinkListener({
      ...listen,
      identity,
      logger,
      door: this.door,
      maxLinks: maxPeers + MAX_STRANGERS,
      judge: ({ peerKey }, headers) => this.#judge(peerKey, headers),
      serve: this.#topics.answer,
      onStream: (stream, link, asker) => this.#onStream(stream, link, asker),
    })
  }

  #onStream(stream: LinkStream, link: Link, { peerKey }: Asker): void {
    if (isReverseOffer(stream)) void this.#turnRound(stream, link)
    else this.#take(stream, peerKey)
  }

  /** A dialler that can be asked too is a peer. One that offers nothing is served, and never counts as one. */
  async #turnRound(offer: LinkStream, link: Link): Promise<void> {
    const { logger } = this.#options
    try {
      const ours = await takeReverse(offer, { logger, peerKey: link.peerKey })
      const peer = this.#peerOf(link, ours, 'in')
      this.#admit(peer)
    } catch (error) {
      logger.debug('a peer could not be asked', { reason: (error as Error).message, from: sensitive(link.remoteAddress ?? '') })
      link.close({ reason: 'the link could not be turned round' })
    }
  }

  /** Takes a peer in, or ends its link. */
  #admit(peer: Peer): Peer | undefined {
    const refusal = this.#ending.signal.aborted ? 'this node stopped' : this.admit(peer)
    const kept = refusal === undefined ? this.#table.add(peer) : undefined
    if (kept === undefined) peer.close(refusal ?? 'this node takes no more peers')
    return kept
  }

  #peerOf(outer: Link, ours: Link, direction: Direction, contact?: Peer['contact']): Peer {
    return new Peer({ outer, ours, direction, since: this.#options.clock.monotonic(), contact })
  }

  #services(peerKey: Buffer): Pick<Parameters<typeof offerReverse>[1], 'judge' | 'onStream' | 'serve'> {
    return {
      judge: (headers) => this.#judge(peerKey, headers),
      serve: this.#topics.answer,
      onStream: (stream) => this.#take(stream, peerKey),
    }
  }

  #judge(peerKey: Buffer, headers: IncomingHttpHeaders): Refusal | undefined {
    // Saying hello and turning the link round are open to all; streams are the relay's business.
    if (headers[':method'] !== 'CONNECT') return undefined
    const authority = headers[':authority'] ?? ''
    if (isReverseOffer({ authority })) return undefined
    return this.#streams === undefined ? NO_STREAMS : this.#streams.judge(authority, peerKey, headers)
  }

  #take(stream: LinkStream, peerKey: Buffer): void {
    if (this.#streams === undefined) stream.refuse(NO_STREAMS)
    else this.#streams.take(stream, peerKey)
  }
}
