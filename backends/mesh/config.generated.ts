/**
 * Made from schemas/backends/mesh.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * Settings of the mesh backend: `config` of the entry `mesh` in beam.config.yaml.
 */
export interface MeshConfig {
  /**
   * First nodes of the DHT, as host:port. Without it: `p2p.bootstrap`, else the public ones; an empty list: no DHT.
   */
  bootstrap?: string[]
  /**
   * Nodes of the mesh that are known beforehand, as `beam node` prints them. Without it: `p2p.peers`.
   */
  peers: string[]
  /**
   * A domain whose DNS lists nodes (TXT and SRV records of _beam._tcp.<domain>); `domain@address:port` asks that name server. Without it: `p2p.dns`; empty: none.
   */
  dns?: string
  /**
   * What the node does for others when its participation is `routing` or `full`: begin a DHT or store for it, hold registrations, relay.
   */
  serve: ('bootstrap' | 'rendezvous' | 'relay')[]
  /**
   * UDP port at which others can start from this node's DHT node; 0 = any free one. Without it, the DHT node has any port and begins no DHT.
   */
  dhtPort?: number
  /**
   * Announcing and finding services on the LAN: everywhere, nowhere, or on the loopback interface only.
   */
  mdns: 'on' | 'off' | 'loopback'
  /**
   * Asking the router for a port mapping (UPnP, NAT-PMP, PCP).
   */
  portmap: 'on' | 'off'
  listen: MeshListen
  /**
   * Addresses under which others reach the first tunnel, or the node, when a router forwards a port to it: host:port.
   */
  announce: string[]
  /**
   * Which relays are taken, where there is a choice. Without it: `routing.strategy`.
   */
  routing: 'quality' | 'latency' | 'bandwidth' | 'geographic' | 'random'
  /**
   * Whether ways through other nodes are used, and offered where the participation is for it. Without it: `p2p.routing`.
   */
  relaying: 'enabled' | 'disabled'
  /**
   * Whether records of services that gossip brings are kept in memory, for own lookups and those of others. Without it: `p2p.caching`.
   */
  caching: 'enabled' | 'disabled'
  /**
   * Most links to other nodes at a time. Without it: `p2p.maxPeers`.
   */
  maxLinks: number
  /**
   * What this node does for others. Without it: `p2p.participation`.
   */
  participation: 'light' | 'routing' | 'full'
}
/**
 * Where links from other nodes are accepted.
 */
export interface MeshListen {
  /**
   * Local address; `::` = all interfaces, IPv6 and IPv4.
   */
  host: string
  /**
   * Local port of the first tunnel; 0 = any free one. Further tunnels take free ports.
   */
  port: number
}
