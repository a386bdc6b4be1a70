import type { AddressInfo } from 'node:net'
import {
  accessJudge,
  BackendUnavailableError,
  encodeKey,
  encodeRecord,
  fitRecord,
  formatBeamAddress,
  LinkListener,
  MAX_ENDPOINTS,
  newRecord,
  seedOf,
  tcpEndpoint,
  tombstoneOf,
  UnreachableError,
  type AccessPolicy,
  type Announced,
  type Asked,
  type Asker,
  type Clock,
  type Discovery,
  type Endpoint,
  type Identity,
  type Logger,
  type ServiceRecord,
  type StreamHandler,
  type TunnelDescription,
  type TunnelEvent,
  type Visitor,
} from '../../core/index.ts'
import { ADDRESS_POLL_MS, MAX_DIRECT_ADDRESSES, OWN_BEFORE_OTHERS, RENEW_AFTER } from './constants.ts'
import { firstAnswer } from './first-answer.ts'
import { localAddresses, reachOf, recordEndpoints, type Reach } from './local-addresses.ts'
import { needsPortMap, PortMap, portMapMessage, type PortMapState } from './port-map/index.ts'
import { PUNCH_TOPIC, PublisherPunch, type PublisherPunchOptions } from './punch/publisher-punch.ts'
import type { TrafficCount } from './traffic.ts'

/** What a published service is made of. */
export interface PublishedParts {
  readonly identity: Identity
  readonly listen: { readonly host: string; readonly port: number }
  readonly maxLinks: number
  readonly access: AccessPolicy | undefined
  readonly discovery: Discovery
  /** How far the addresses in its record may be of use. */
  readonly within: Reach
  readonly handler: StreamHandler
  readonly traffic: TrafficCount
  readonly clock: Clock
  readonly logger: Logger
  readonly onEvent: (event: TunnelEvent) => void
  /** Endpoints that the user knows of: ports that a router forwards to this listener. */
  readonly announce?: readonly string[]
  /** Whether the router may be asked to lead a port of its own here. */
  readonly portMap?: boolean
  /** Relays through which it is reached now, as endpoints of its record. */
  readonly relays?: () => readonly string[]
  /** Where one of them is, by its node key as text: visitors meet this end there for a direct connection. */
  readonly relayAt?: PublisherPunchOptions['relayAt']
}

/** One service on the mesh: a listener that holds the service key, its record, and the announcement of both. */
export class Published implements AsyncDisposable {
  readonly identity: Identity
  readonly address: string
  readonly #parts: PublishedParts
  readonly #listener: LinkListener
  readonly #punch: PublisherPunch
  readonly #visitors = new WeakMap<Asker, Visitor>()
  #where: AddressInfo | undefined
  #record: ServiceRecord | undefined
  #signed: Uint8Array = new Uint8Array()
  #announced: Announced | undefined
  #domain: string | undefined
  #description: TunnelDescription = { endpoints: [], weight: 1, capabilities: [] }
  #portMap: PortMap | undefined
  #stopUpkeep: () => void = () => {}

  constructor(parts: PublishedParts) {
    this.#parts = parts
    this.identity = parts.identity
    this.address = formatBeamAddress(parts.identity.publicKey)
    this.#punch = new PublisherPunch({
      relayAt: parts.relayAt ?? (() => undefined),
      accept: (socket) => this.#listener.accept(socket),
      clock: parts.clock,
      logger: parts.logger,
    })
    this.#listener = this.#newListener(parts.listen.host, parts.listen.port)
  }

  /** Where the listener is; undefined before `start`. */
  get where(): AddressInfo | undefined {
    return this.#where
  }

  get listener(): LinkListener {
    return this.#listener
  }

  endpoint(reveals: readonly string[]): Endpoint {
    return {
      backend: 'mesh',
      address: this.address,
      state: this.#where === undefined ? 'announcing' : 'active',
      direct: this.#direct(),
      reveals,
    }
  }

  /** Listens, then makes itself known in the background. */
  async start(domain: string | undefined): Promise<void> {
    this.#where = await this.#listener.listen()
    this.#domain = domain
    await this.#announce()
    this.#mapPort(this.#where)
    let endpoints = this.#record?.endpoints.join()
    this.#stopUpkeep = this.#parts.clock.every(ADDRESS_POLL_MS, () => {
      const now = recordEndpoints(this.#where as AddressInfo, this.#parts.within).join()
      const due =
        this.#record !== undefined && this.#parts.clock.now() > this.#record.issuedAt + this.#record.ttlSeconds * 1000 * RENEW_AFTER
      if (now === endpoints && !due) return
      if (now !== endpoints) this.#portMap?.wake()
      endpoints = now
      this.#renew()
    })
  }

  /** Whether others than this site can dial it. */
  get isPublic(): boolean {
    if ((this.#parts.announce?.length ?? 0) > 0) return true
    return this.#where !== undefined && localAddresses(this.#where.address).some((host) => reachOf(host) === 'world')
  }

  /** The relays have changed. */
  onRelays(): void {
    if (this.#announced !== undefined) this.#renew()
  }

  /** Says more of the service in its record from now on. */
  describe(description: TunnelDescription): void {
    this.#description = description
    if (this.#announced !== undefined) this.#renew()
  }

  /** The domain that it claims. */
  get domain(): string | undefined {
    return this.#domain
  }

  /** Claims a domain in place of the one before, or none any more. */
  async claim(domain: string | undefined): Promise<void> {
    await this.#announced?.stop()
    this.#domain = domain
    await this.#announce()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopUpkeep()
    this.#punch[Symbol.dispose]()
    await this.#portMap?.[Symbol.asyncDispose]()
    await this.#announced?.stop()
    await this.#listener[Symbol.asyncDispose]()
  }

  /** Asks the router for a port, in the background. */
  #mapPort(where: AddressInfo): void {
    const { clock, logger } = this.#parts
    if (this.#parts.portMap !== true || (this.#parts.announce?.length ?? 0) > 0 || !needsPortMap(where)) return
    this.#portMap = new PortMap({ port: where.port, clock, logger, onChange: (state) => this.#onPortMap(state) })
  }

  #onPortMap(state: PortMapState): void {
    const message = portMapMessage(state)
    if (message !== undefined) this.#parts.onEvent({ type: 'progress', phase: 'portmap', message })
    if (this.#announced !== undefined) this.#renew()
  }

  /** Where the router leads to it from. */
  #mapped(): ReadonlyArray<{ readonly host: string; readonly port: number }> {
    const state = this.#portMap?.state
    return state?.state === 'mapped' ? [state] : []
  }

  #newListener(host: string, port: number): LinkListener {
    const { identity, logger, maxLinks, access, handler, traffic } = this.#parts
    return new LinkListener({
      host,
      port,
      identity,
      logger,
      maxLinks,
      judge: accessJudge(access, identity.publicKey),
      record: () => this.#signed,
      serve: (asked) => this.#answer(asked),
      onStream: (stream, _link, asker) => {
        traffic.count(stream)
        handler(stream, this.#visitorOf(asker))
      },
    })
  }

  /** The small requests on a link to the service. */
  #answer(asked: Asked): Promise<Uint8Array> {
    if (asked.topic === PUNCH_TOPIC) return this.#punch.answer(asked)
    throw new UnreachableError('This publisher does not serve that.', { code: 'BEAM_ERR_NOT_FOUND', retry: 'never' })
  }

  #direct(): readonly string[] {
    const where = this.#where
    if (where === undefined) return []
    const addresses = localAddresses(where.address).filter((host) => reachOf(host) !== 'machine' || host === where.address)
    return [...this.#mapped(), ...addresses.map((host) => ({ host, port: where.port }))]
      .slice(0, MAX_DIRECT_ADDRESSES)
      .map(({ host, port }) => formatBeamAddress(this.identity.publicKey, { host, port }))
  }

  /** Worked out once for each link: a link carries many streams. */
  #visitorOf(asker: Asker): Visitor {
    const known = this.#visitors.get(asker)
    if (known !== undefined) return known
    const { peerKey, remoteAddress } = asker
    const visitor: Visitor = { backend: 'mesh', key: encodeKey('visitor', peerKey), ...(remoteAddress !== undefined && { remoteAddress }) }
    this.#visitors.set(asker, visitor)
    return visitor
  }

  /** Resolves when the first source holds it: the registry of this machine does at once, and nothing waits for a network. */
  async #announce(): Promise<void> {
    this.#sign()
    if (this.#where === undefined || this.#record === undefined) throw new BackendUnavailableError('The tunnel does not listen.')
    const { promise, settle } = firstAnswer(this.#parts.clock)
    this.#announced = this.#parts.discovery.announce(
      {
        serviceKey: this.identity.publicKey,
        seed: seedOf(this.identity),
        record: this.#signed,
        sequence: this.#record.sequence,
        port: this.#where.port,
        ...(this.#domain !== undefined && { domain: this.#domain }),
        onStream: (stream) => this.#listener.accept(stream),
        onSuperseded: (sequence) => this.#renew(sequence),
        withdrawal: (sequence) => this.#withdrawal(sequence),
      },
      (state, reason) => {
        const message =
          state === 'announced' ? `Announced by ${reason}` : state === 'failed' ? `Not announced, trying again: ${reason}` : reason
        this.#parts.onEvent({ type: 'progress', phase: 'announce', message })
        if (state !== 'pending') settle()
      },
    )
    await promise
  }

  /** The signed word that nothing of this service counts any more, up to that sequence number. */
  #withdrawal(sequence: number): { readonly record: Uint8Array; readonly sequence: number } {
    const last = { ...(this.#record as ServiceRecord), sequence: Math.max(sequence, this.#record?.sequence ?? 0) }
    const tombstone = tombstoneOf(last, { now: this.#parts.clock.now() })
    return { record: encodeRecord(tombstone, this.identity), sequence: tombstone.sequence }
  }

  #renew(beyond?: number): void {
    this.#sign(beyond)
    if (this.#record !== undefined) this.#announced?.update(this.#signed, this.#record.sequence)
  }

  #sign(beyond?: number): void {
    const { clock } = this.#parts
    const previous = Math.max(this.#record?.sequence ?? 0, beyond ?? 0)
    const { capabilities } = this.#description
    this.#record = fitRecord(
      newRecord(
        {
          serviceKey: this.identity.publicKey,
          name: this.#domain,
          ...this.#endpoints(),
          ...(capabilities.length === 0 ? {} : { metadata: { capabilities } }),
        },
        { now: clock.now(), previous },
      ),
    )
    this.#signed = encodeRecord(this.#record, this.identity)
  }

  /** The first of its own addresses, then those on other networks: what is left out for want of room are further addresses of this machine. */
  #endpoints(): Pick<ServiceRecord, 'endpoints' | 'weights'> {
    const { endpoints: others, weight } = this.#description
    const here = this.#where === undefined ? [] : recordEndpoints(this.#where, this.#parts.within)
    const mapped = this.#mapped().map(({ host, port }) => tcpEndpoint(host, port))
    const own = [...(this.#parts.announce ?? []), ...mapped, ...here].map((address) => ({ address, weight }))
    const relays = (this.#parts.relays?.() ?? []).map((address) => ({ address, weight }))
    const equal = others.every((one) => one.weight === weight)
    // Somewhere its own weight has to stand, also when it has no address that is of use to others.
    const itself = equal || own.length + relays.length > 0 ? [] : [{ address: this.address, weight }]
    const first = [...itself, ...own.slice(0, OWN_BEFORE_OTHERS), ...relays]
    const all = [...first, ...others, ...own.slice(OWN_BEFORE_OTHERS)].slice(0, MAX_ENDPOINTS)
    return { endpoints: all.map(({ address }) => address), ...(equal ? {} : { weights: all.map((one) => one.weight) }) }
  }
}
