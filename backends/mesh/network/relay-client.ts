import {
  decodeReservation,
  encodeRequest,
  isBeamError,
  proveService,
  RESERVE_TOPIC,
  relayEndpoint,
  sensitive,
  type Candidates,
  type Clock,
  type Identity,
  type Logger,
  type MeshNode,
  type Peer,
  type PeerSet,
} from '../../../core/index.ts'

/** Relays that answer for a node: one, and another for when that goes. */
const WANTED = 2
/** How often the reservations are looked after. */
const STEP_MS = 5_000
/** A new peer has said what it does for others by then. */
const NEW_PEER_MS = 300
/** A reservation is asked for again when this part of its life is over. */
const RENEW_AFTER = 0.5
/** How long a service lets a node answer for it, whatever the relay grants: a day. */
const PROOF_MS = 86_400_000

/** A relay that says no is asked again after a minute; one that was too busy to answer, or lost its link, at the next step. */
const REFUSED_MS = 60_000
const isRefusal = (error: unknown): boolean =>
  isBeamError(error) && ['BEAM_ERR_ACCESS_DENIED', 'BEAM_ERR_NOT_FOUND', 'BEAM_ERR_RATE_LIMITED'].includes(error.code)

interface Reserved {
  readonly contact: { readonly host: string; readonly port: number }
  readonly endpoint: string
  renewAt: number
  /** What it was reserved for. */
  services: string
}

/** What the client needs. */
export interface RelayClientOptions {
  readonly node: MeshNode
  readonly nodeKey: Uint8Array
  readonly peers: PeerSet
  readonly candidates: Candidates
  readonly clock: Clock
  readonly logger: Logger
  /** Told when the relays, and so the endpoints of all services, have changed. */
  readonly onChange: () => void
}

/** Keeps this node's services reachable through relays: two of its peers that relay, chosen by what is thought of them and how near they are. */
export class RelayClient implements Disposable {
  readonly #options: RelayClientOptions
  readonly #reserved = new Map<string, Reserved>()
  readonly #refusedUntil = new Map<string, number>()
  readonly #services = new Set<Identity>()
  readonly #undo: ReadonlyArray<() => void>
  #working = false

  constructor(options: RelayClientOptions) {
    this.#options = options
    this.#undo = [
      options.clock.every(STEP_MS, () => void this.step()),
      options.node.onPeer(({ peer, what }) => {
        if (what === 'down') this.#lost(peer.id)
        else options.clock.after(NEW_PEER_MS, () => void this.step(), { unref: true })
      }),
    ]
  }

  /** Makes a service reachable through relays, until the returned function is called. */
  serve(service: Identity): () => void {
    this.#services.add(service)
    void this.step()
    return () => {
      this.#services.delete(service)
      void this.step()
    }
  }

  /** Where the services are reached, for their records. */
  get endpoints(): readonly string[] {
    return [...this.#reserved.values()].map(({ endpoint }) => endpoint)
  }

  /** Where one of these relays is, by its node key as text. */
  at(id: string): { readonly key: Uint8Array; readonly host: string; readonly port: number } | undefined {
    const reserved = this.#reserved.get(id)
    const peer = this.#options.node.peer(id)
    return reserved === undefined || peer === undefined ? undefined : { key: peer.key, ...reserved.contact }
  }

  [Symbol.dispose](): void {
    for (const end of this.#undo) end()
    this.#reserved.clear()
  }

  /** Renews and makes reservations: called by the clock. */
  async step(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      if (this.#services.size === 0 && this.#reserved.size === 0) return
      const before = this.endpoints.join()
      const now = this.#options.clock.now()
      const services = this.#servicesId()
      for (const [id, reserved] of this.#reserved) {
        const peer = this.#options.node.peer(id)
        if (peer === undefined) this.#reserved.delete(id)
        else if (reserved.renewAt <= now || reserved.services !== services) await this.#reserve(peer)
      }
      for (const peer of this.#choice()) {
        if (this.#reserved.size >= WANTED || this.#services.size === 0) break
        await this.#reserve(peer)
      }
      if (this.endpoints.join() !== before) this.#options.onChange()
    } finally {
      this.#working = false
    }
  }

  /** Peers that relay and can be dialled by others, the best first. */
  #choice(): Peer[] {
    const { peers, candidates, node, clock } = this.#options
    const now = clock.now()
    return peers
      .peers()
      .filter(({ id, info }) => info !== undefined && info.participation !== 'light' && info.contacts.length > 0 && !this.#reserved.has(id))
      .filter(({ id }) => (this.#refusedUntil.get(id) ?? 0) <= now)
      .map(({ id, latencyMs = 400 }) => ({ id, value: candidates.trustIn(id) - Math.min(latencyMs, 400) / 800 }))
      .sort((a, b) => b.value - a.value)
      .flatMap(({ id }) => node.peer(id) ?? [])
  }

  async #reserve(peer: Peer): Promise<void> {
    const { nodeKey, clock, logger, candidates, peers } = this.#options
    const now = clock.now()
    const until = Math.floor(now + PROOF_MS)
    const services = this.#servicesId()
    const proofs = [...this.#services].map((service) => proveService(service, { relay: peer.key, node: nodeKey, until }))
    try {
      const { expiresAt } = decodeReservation(await peer.ask(RESERVE_TOPIC, encodeRequest(proofs)))
      const contact = candidates.get(peer.id)?.contact ?? peers.peers().find(({ id }) => id === peer.id)?.info?.contacts[0]
      if (contact === undefined || expiresAt <= now) return
      this.#reserved.set(peer.id, {
        contact,
        endpoint: relayEndpoint(contact.host, contact.port, peer.key),
        renewAt: now + (expiresAt - now) * RENEW_AFTER,
        services,
      })
      candidates.experience(peer.id, 'kept')
    } catch (error) {
      this.#reserved.delete(peer.id)
      this.#refusedUntil.set(peer.id, now + (isRefusal(error) ? REFUSED_MS : STEP_MS))
      logger.debug('no reservation', { relay: sensitive(peer.id), reason: (error as Error).message })
    }
  }

  #lost(id: string): void {
    if (!this.#reserved.delete(id)) return
    this.#options.candidates.experience(id, 'broken')
    this.#options.onChange()
    void this.step()
  }

  #servicesId(): string {
    return [...this.#services].map(({ publicKey }) => Buffer.from(publicKey).toString('hex')).join()
  }
}
