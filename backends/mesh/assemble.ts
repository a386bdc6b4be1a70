import { BackendUnavailableError, encodeKey, RouteTable, type BeamPaths, type Clock, type Logger } from '../../core/index.ts'
import type { MeshConfig } from './config.generated.ts'
import { createDiscovery, DnsNodes, type DiscoveryOptions, type MeshDiscovery, type SourceStatus } from './discovery/index.ts'
import { HistoryKeeper } from './history/history-keeper.ts'
import { HistoryStore } from './history/history-store.ts'
import { announcedEndpoints, dhtAddress, dhtHost, reachOfBootstrap } from './local-addresses.ts'
import { GossipDiscovery } from './network/gossip-discovery.ts'
import { NetworkSlot } from './network/network-slot.ts'
import { pickRelays, TO_RELAY } from './network/pick-relays.ts'
import { RendezvousDiscovery } from './network/rendezvous-discovery.ts'
import { PublisherLinks } from './publisher-links.ts'
import { notFound, refuseRelays } from './sentences.ts'

/** What the mesh backend is made of. */
export interface MeshComponents {
  readonly config: Pick<MeshConfig, 'announce' | 'listen' | 'caching' | 'maxLinks' | 'participation' | 'peers' | 'relaying' | 'routing'> &
    Partial<Pick<MeshConfig, 'dhtPort' | 'serve'>>
  readonly discovery: DiscoveryOptions
  readonly paths: BeamPaths
  readonly logger: Logger
  readonly clock: Clock
}

/** The parts of a mesh backend, put together and not begun. */
export interface MeshParts {
  readonly mesh: MeshDiscovery
  readonly network: NetworkSlot
  readonly links: PublisherLinks
  readonly history: HistoryStore
  readonly sources: () => readonly SourceStatus[]
  /** Opens the DHT node for others, if this node is one that others start from. @throws BackendUnavailableError (`BEAM_ERR_PORT_IN_USE`) */
  readonly serveDht: (signal: AbortSignal) => Promise<void>
  /** Where others start from it, as BEAM_P2P_BOOTSTRAP takes it; empty when they do not. */
  readonly bootstrap: () => readonly string[]
}

/** Puts the parts together. Does no I/O. @throws ConfigError */
export function assemble({ config, discovery, paths, clock, logger }: MeshComponents): MeshParts {
  const history = new HistoryStore(paths, clock, (kept) => logger.warn('the history of the network was damaged, and begins anew', { kept }))
  const dns = discovery.dns === undefined ? undefined : new DnsNodes(discovery.dns, clock)
  // Whoever has none now is asked again with the next need.
  const morePeers = dns === undefined ? undefined : async () => (await dns.nodes().catch(() => ({ peers: [] }))).peers
  const servesDht = config.participation !== 'light' && config.serve?.includes('bootstrap') !== false
  const first =
    servesDht && config.dhtPort !== undefined
      ? { host: dhtHost(config.listen.host), address: dhtAddress(config.listen.host), port: config.dhtPort }
      : undefined
  const sources = (): readonly SourceStatus[] => mesh.discovery.sources()
  const network = new NetworkSlot({
    participation: config.participation,
    maxPeers: config.maxLinks,
    listen: { host: config.listen.host, port: config.participation === 'light' ? 0 : config.listen.port },
    peers: config.peers,
    ...(morePeers !== undefined && { morePeers }),
    ...(config.serve !== undefined && { serves: config.serve }),
    announce: config.participation === 'light' ? [] : announcedEndpoints(config.announce),
    discovery: () => mesh.discovery,
    // Without a DHT a node is known to those only who were told of it.
    within: discovery.bootstrap === 'none' ? 'site' : reachOfBootstrap(discovery.bootstrap),
    portMap: discovery.portmap && reachesOut(discovery),
    paths,
    clock,
    logger,
    relaying: config.relaying !== 'disabled',
    caching: config.caching !== 'disabled',
    history: (started) =>
      new HistoryKeeper({ network: started, store: history, clock, logger, discoverable: () => isDiscoverable(sources()) }),
  })
  const gossip = new GossipDiscovery(network)
  network.whenStarted(() => gossip.onStarted())
  const mesh = createDiscovery(discovery, {
    extra: [gossip, new RendezvousDiscovery({ peers: config.peers, clock, logger, ...(morePeers !== undefined && { morePeers }) })],
    runtimeFolder: paths.runtime,
    clock,
    logger,
    dns,
    serve: servesDht,
    ...(first !== undefined && { first }),
  })
  const routes = new RouteTable({ clock })
  const links = new PublisherLinks({
    discovery: mesh.discovery,
    clock,
    logger,
    pickRelays: (count, except) =>
      config.relaying === 'disabled'
        ? refuseRelays()
        : pickRelays({ network: network.network, routes, strategy: config.routing }, count, except),
    onRelayUsed: (relay, outcome) => routes.note(TO_RELAY, encodeKey('node', relay), outcome),
    notFound: (what) => notFound({ ...discovery, nodes: config.peers.length > 0 || discovery.dns !== undefined }, what),
  })
  let dhtPort: number | undefined
  return {
    mesh,
    network,
    links,
    history,
    sources,
    async serveDht(signal) {
      if (first === undefined) return
      dhtPort = await mesh.serveDht(signal)
      if (dhtPort !== undefined) return
      const reason = sources().find(({ name }) => name === 'dht')?.detail ?? 'it was stopped'
      // Without a name server it is tried again; a port that somebody else has stays taken.
      if (/EADDRINUSE|in use/i.test(reason)) {
        throw new BackendUnavailableError(`UDP port ${first.port} on ${first.host}, at which others would start their DHT, is taken.`, {
          code: 'BEAM_ERR_PORT_IN_USE',
        })
      }
      logger.warn('the DHT node for others is not open yet', { reason })
    },
    // Of the public DHT others need no address of this node.
    bootstrap: () =>
      first === undefined || dhtPort === undefined || discovery.bootstrap === 'public' ? [] : [`${first.address}:${dhtPort}`],
  }
}

/** Whether others than this machine's own processes can be met through the DHT. */
export function reachesOut({ bootstrap }: DiscoveryOptions): boolean {
  return bootstrap !== 'none' && reachOfBootstrap(bootstrap) !== 'machine'
}

/** Whether a source that reaches beyond this machine's own processes is ready. */
function isDiscoverable(sources: readonly SourceStatus[]): boolean {
  return sources.some(({ name, state }) => name !== 'registry' && state === 'ready')
}
