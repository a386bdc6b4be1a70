import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  Candidates,
  CleanupStack,
  fromNumbers,
  gossipOn,
  MeshNode,
  News,
  parseTcpEndpoint,
  PeerSet,
  RecordCache,
  relayLimits,
  RelayService,
  serveLookups,
  serveRegistrations,
  StreamRouter,
  tcpEndpoint,
  UnreachableError,
  type BeamPaths,
  type Clock,
  type Discovery,
  type Gossip,
  type HeardNode,
  type Identity,
  type Logger,
  type Participation,
  type PartitionSuspicion,
  type PartitionWatch,
  type RelayFigures,
  type RelayLimits,
} from '../../../core/index.ts'
import { reachOf, recordEndpoints, type Reach } from '../local-addresses.ts'
import { needsPortMap, PortMap, type PortMapState } from '../port-map/index.ts'
import { keepUp } from './keep-up.ts'
import { announceNode } from './node-announcement.ts'
import { formatNodeAddress, parseNodeAddress } from './node-address.ts'
import { takeNodeKey } from './node-key.ts'
import { RelayClient } from './relay-client.ts'

/** A relay that cannot reach the next one soon is of no use: the visitor takes another. */
const ONWARD_LIMIT_MS = 3_000
/** Links of a node that takes part lightly: enough to be found and to be relayed. */
const LIGHT_PEERS = 6

/** What a node of the mesh is made of. */
export interface MeshNetworkOptions {
  readonly participation: Participation
  readonly maxPeers: number
  readonly listen: { readonly host: string; readonly port: number }
  /** Endpoints that the user knows of: ports that a router forwards to this node. */
  readonly announce: readonly string[]
  /** Nodes that are known beforehand (`beam-node:…`). */
  readonly peers: readonly string[]
  /** Further ones, looked up while the node comes up. Never rejects. */
  readonly morePeers?: () => Promise<readonly string[]>
  /** What a node that does something for others does. Default: all of it. */
  readonly serves?: ReadonlyArray<'bootstrap' | 'relay' | 'rendezvous'>
  readonly discovery: Discovery
  /** How far the addresses of this node may be of use. */
  readonly within: Reach
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
  /** Whether the router may be asked to lead a port of its own here. Default: no. */
  readonly portMap?: boolean
  /** Told when the relays, and so the endpoints of services, have changed. */
  readonly onRelays: () => void
  /** Whether relays are used, and offered where the participation is for it. Default: they are. */
  readonly relaying?: boolean
  /** Whether records that gossip brings are kept, and given to whoever looks them up. Default: they are. */
  readonly caching?: boolean
  /** Notes how the node is, until it is disposed of. */
  readonly history?: (network: MeshNetwork) => AsyncDisposable
}

/** This process's node: its key, its peers, gossip, and the relay if it is one. */
export class MeshNetwork implements AsyncDisposable {
  readonly node: MeshNode
  readonly identity: Identity
  readonly keyKept: boolean
  readonly participation: Participation
  readonly candidates: Candidates
  readonly peers: PeerSet
  readonly gossip: Gossip
  readonly records: RecordCache
  /** What publishers registered with this node: kept apart, so that no stranger drives out what gossip told. */
  readonly registered: RecordCache
  readonly relayClient: RelayClient
  readonly #news: News
  readonly #watch: PartitionWatch
  readonly #router: StreamRouter
  readonly #relay: RelayService | undefined
  readonly #relaying: boolean
  readonly #where: AddressInfo | undefined
  readonly #options: MeshNetworkOptions
  #portMap: PortMap | undefined
  #announced: ReturnType<typeof announceNode> | undefined
  readonly #undo: CleanupStack
  readonly startedAt: number

  /** Brings the node up: it listens, and looks for peers in the background. @throws BackendUnavailableError, ConfigError */
  static async start(options: MeshNetworkOptions): Promise<MeshNetwork> {
    await using undo = new CleanupStack()
    const key = await takeNodeKey(options.paths, options.participation)
    undo.defer(() => key[Symbol.asyncDispose]())
    const { clock, logger, maxPeers, participation, listen } = options
    const node = new MeshNode({
      identity: key.identity,
      clock,
      logger,
      listen,
      maxPeers: participation === 'light' ? LIGHT_PEERS * 2 : maxPeers,
    })
    undo.defer(() => node[Symbol.asyncDispose]())
    const where = await node.listen()
    return new MeshNetwork(options, { node, key, where }, undo.move())
  }

  private constructor(
    options: MeshNetworkOptions,
    parts: { node: MeshNode; key: { identity: Identity; kept: boolean }; where: AddressInfo | undefined },
    undo: CleanupStack,
  ) {
    const { clock, logger, participation, relaying = true, caching = true, serves = ['relay', 'rendezvous'] } = options
    const relays = relaying && serves.includes('relay')
    const { node, key } = parts
    this.#relaying = relaying
    this.#undo = undo
    this.node = node
    this.identity = key.identity
    this.keyKept = key.kept
    this.participation = participation
    this.startedAt = clock.now()
    this.candidates = new Candidates(clock)
    this.#addCandidates(options.peers)
    this.#options = options
    this.#where = parts.where
    const min = participation === 'light' ? LIGHT_PEERS / 2 : Math.min(25, Math.ceil(options.maxPeers / 2))
    const max = participation === 'light' ? LIGHT_PEERS : options.maxPeers
    this.peers = new PeerSet({
      node,
      clock,
      logger,
      goal: { min, max },
      candidates: this.candidates,
      // Who does not relay does not say that it does.
      self: () => ({ participation: relays ? participation : 'light', contacts: participation === 'light' ? [] : this.#contacts() }),
    })
    undo.defer(() => this.peers[Symbol.dispose]())
    this.records = new RecordCache(clock, caching ? {} : { max: 0 })
    this.registered = new RecordCache(clock)
    this.#news = new News({ clock, records: this.records })
    if (participation !== 'light' && serves.includes('rendezvous')) {
      undo.defer(serveLookups(node, this.records, this.registered))
      undo.defer(serveRegistrations(node, this.registered, clock))
    }
    const { gossip, [Symbol.dispose]: endGossip } = gossipOn(node, {
      identity: key.identity,
      clock,
      logger,
      take: (message) => {
        const verdict = this.#news.take(message)
        if (verdict === 'good' && message.type === 'heartbeat') this.#learnNodes()
        return verdict
      },
      onBadPeer: (peer, reason) => this.peers.ban(peer, reason),
    })
    this.gossip = gossip
    undo.defer(endGossip)
    this.#router = new StreamRouter(node)
    const limits = relays ? relayLimits(participation) : undefined
    this.#relay = limits === undefined ? undefined : this.#relayOf(limits, options)
    this.#router.relay = this.#relay
    undo.defer(() => this.#relay?.[Symbol.dispose]())
    this.relayClient = new RelayClient({
      node,
      nodeKey: key.identity.publicKey,
      peers: this.peers,
      candidates: this.candidates,
      clock,
      logger,
      onChange: options.onRelays,
    })
    undo.defer(() => this.relayClient[Symbol.dispose]())
    this.#watch = keepUp(this, options, undo)
    void options.morePeers?.().then((more) => this.#addCandidates(more))
    this.#announce()
    undo.defer(() => this.#announced?.stop())
    this.#mapPort()
    undo.defer(() => this.#portMap?.[Symbol.asyncDispose]())
    const history = options.history?.(this)
    if (history !== undefined) undo.defer(() => history[Symbol.asyncDispose]())
  }

  /** Where others can link to this node. */
  get addresses(): readonly string[] {
    return this.#contacts().map((contact) => formatNodeAddress(this.identity.publicKey, contact))
  }

  /** What it does for others. */
  get serves(): readonly string[] {
    const { participation, serves = ['bootstrap', 'rendezvous', 'relay'] } = this.#options
    return participation === 'light' ? [] : serves.filter((one) => one !== 'relay' || this.#relay !== undefined)
  }

  /** Set while a part of the network seems to be cut off. */
  get partition(): PartitionSuspicion | undefined {
    return this.#watch.suspicion
  }

  /** What came of asking the router for a port; undefined when it is not asked. */
  get portMap(): PortMapState | undefined {
    return this.#portMap?.state
  }

  /** Nodes that were heard of lately, linked or not. */
  heard(): readonly HeardNode[] {
    return this.#news.nodes()
  }

  /** What this node relayed for others; undefined when it does not. */
  get relayed(): RelayFigures | undefined {
    return this.#relay?.figures
  }

  /** Makes a service of this process reachable through relays (unless they are not to be used), until the returned function is called. */
  serve(service: Identity, take: (carrier: Duplex) => void): () => void {
    const undo = [this.#router.answerFor(service.publicKey, take), ...(this.#relaying ? [this.relayClient.serve(service)] : [])]
    return () => undo.forEach((end) => end())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]()
  }

  #addCandidates(addresses: readonly string[]): void {
    for (const { key, ...contact } of addresses.map(parseNodeAddress)) this.candidates.add({ key, contact, source: 'config' })
  }

  #endpoints(): readonly string[] {
    const { announce, listen, within } = this.#options
    const mapped = this.portMap?.state === 'mapped' ? [tcpEndpoint(this.portMap.host, this.portMap.port)] : []
    const reach = reachOf(listen.host) === 'machine' ? 'machine' : within
    return [...announce, ...mapped, ...(this.#where === undefined ? [] : recordEndpoints(this.#where, reach))]
  }

  #contacts(): ReadonlyArray<{ readonly host: string; readonly port: number }> {
    return this.#endpoints().flatMap((endpoint) => contactOf(endpoint))
  }

  /** Makes the node known, or its new endpoints. */
  #announce(): void {
    const { participation, discovery, clock } = this.#options
    if (this.#announced !== undefined) return this.#announced.update()
    if (participation === 'light' || this.#where === undefined || this.#endpoints().length === 0) return
    const { port } = this.#where
    this.#announced = announceNode({ discovery, identity: this.identity, port, endpoints: () => this.#endpoints(), clock })
  }

  /** Nodes that take part lightly are not dialled, so need no port at the router. */
  #mapPort(): void {
    const { participation, announce, clock, logger, portMap } = this.#options
    if (portMap !== true || participation === 'light' || announce.length > 0) return
    if (this.#where === undefined || !needsPortMap(this.#where)) return
    this.#portMap = new PortMap({ port: this.#where.port, clock, logger, onChange: () => this.#announce() })
  }

  /** A relay, which also leads on to nodes that this one knows and is not linked to yet. */
  #relayOf(limits: RelayLimits, { clock, logger }: MeshNetworkOptions): RelayService {
    return new RelayService({
      node: this.node,
      nodeKey: this.identity.publicKey,
      limits,
      clock,
      logger,
      knows: (id) => this.candidates.get(id) !== undefined && !this.candidates.isBanned(id),
      connect: async (id) => {
        const candidate = this.candidates.get(id)
        if (candidate === undefined) throw new UnreachableError('This relay does not know the way there.', { code: 'BEAM_ERR_NOT_FOUND' })
        return this.node.connect(candidate.contact, candidate.key, { signal: AbortSignal.timeout(ONWARD_LIMIT_MS) })
      },
    })
  }

  /** Nodes that say that they live can be linked to. */
  #learnNodes(): void {
    const newest = this.#news.nodes().at(-1)
    if (newest !== undefined) this.#watch.heard(newest.id)
    const contact = newest?.contacts[0]
    if (newest === undefined || contact === undefined) return
    const coordinate = fromNumbers(newest.coordinate)
    this.candidates.add({ key: newest.key, contact, source: 'gossip', ...(coordinate === undefined ? {} : { coordinate }) })
  }
}

function contactOf(endpoint: string): Array<{ readonly host: string; readonly port: number }> {
  const contact = parseTcpEndpoint(endpoint)
  return contact === undefined ? [] : [{ host: contact.host, port: contact.port }]
}
