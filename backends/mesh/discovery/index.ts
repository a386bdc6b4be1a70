import { silentLogger, systemClock, type Clock, type Discovery, type Logger } from '../../../core/index.ts'
import { dhtDiscovery } from './dht.ts'
import { DhtNode, type DhtNodeOptions } from './dht-node.ts'
import type { DnsNodes } from './dns-nodes.ts'
import { mdnsDiscovery } from './mdns.ts'
import { MdnsSocket } from './mdns-socket.ts'
import { MultiDiscovery } from './multi.ts'
import type { DiscoveryOptions } from './options.ts'
import { registryDiscovery } from './registry.ts'

export { DnsNodes } from './dns-nodes.ts'
export { announceHost, type HostAnnouncement, type HostOptions } from './announce-host.ts'
export { MultiDiscovery, type SourceStatus } from './multi.ts'
export { parseDiscoveryOptions, type DiscoveryConfig, type DiscoveryOptions, type MdnsMode } from './options.ts'
export { DhtNode, MdnsSocket, dhtDiscovery, mdnsDiscovery, registryDiscovery }

/** What discovery needs besides its options. */
export interface DiscoveryComponents {
  /** The user's runtime folder ({@link BeamPaths.runtime}). */
  readonly runtimeFolder: string
  readonly clock?: Clock
  readonly logger?: Logger
  /** Whether this node serves the DHT for others (participation `routing` or `full`). Default: no. */
  readonly serve?: boolean
  /** The nodes that a domain lists. */
  readonly dns?: DnsNodes | undefined
  /** Where the DHT node listens when others are to start from it. */
  readonly first?: DhtNodeOptions['first']
  /** Further sources, which are asked beside these. */
  readonly extra?: readonly Discovery[]
}

/** All sources of one Beam process. */
export interface MeshDiscovery {
  /** Registry, mDNS and DHT as one. */
  readonly discovery: MultiDiscovery
  /** For {@link announceHost}. */
  readonly mdnsSocket: MdnsSocket
  /** Opens the DHT node for others, at once. Resolves with its UDP port; undefined when it could not be opened, which its status explains. */
  serveDht(signal: AbortSignal): Promise<number | undefined>
  /** Ends everything; nothing is left open. Calling it twice is harmless. */
  close(): Promise<void>
}

/**
 * Puts together what the options allow. Does no I/O before its first use; what is switched off is still listed, as `off`.
 *
 * @example
 * const { discovery, close } = createDiscovery(parseDiscoveryOptions(process.env, config), { runtimeFolder: paths.runtime })
 * for await (const { contacts } of discovery.find(serviceKey, { signal: AbortSignal.timeout(5_000) })) tryThem(contacts)
 * await close()
 */
export function createDiscovery(options: DiscoveryOptions, components: DiscoveryComponents): MeshDiscovery {
  const { runtimeFolder, clock = systemClock, logger = silentLogger, serve = false, first, dns, extra = [] } = components
  const node = new DhtNode({
    bootstrap: options.bootstrap,
    serve,
    clock,
    logger,
    ...(first !== undefined && { first }),
    ...(dns !== undefined && { moreBootstrap: async () => (await dns.nodes()).bootstrap }),
  })
  const mdnsSocket = new MdnsSocket({ mode: options.mdns, clock, logger })
  const sources: Discovery[] = [
    registryDiscovery({ runtimeFolder, clock, logger }),
    mdnsDiscovery({ socket: mdnsSocket, clock }),
    dhtDiscovery({ node, clock }),
    ...extra,
  ]
  const discovery = new MultiDiscovery(sources, { logger })
  return {
    discovery,
    mdnsSocket,
    async serveDht(signal) {
      await node.ready(signal)
      return node.port
    },
    async close() {
      await discovery.close()
      await node.close()
    },
  }
}
