/**
 * Made from schemas/beam.config.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * The content of beam.config.yaml.
 */
export interface BeamConfig {
  /**
   * Where an editor finds this schema, in a file written as JSON.
   */
  $schema?: string
  /**
   * The networks that may be used. Without this list: the mesh.
   */
  backends: BackendEntry[]
  /**
   * Packages and folders with further backends. A path starts with ./, ../ or / and is relative to the file.
   */
  plugins: string[]
  /**
   * The local services that are published.
   */
  tunnels: TunnelEntry[]
  p2p: P2PSettings
  routing: RoutingSettings
}
/**
 * A network and its own settings.
 */
export interface BackendEntry {
  /**
   * Name of the backend: one that Beam contains, one of a plugin, or the name of `command`.
   */
  name: string
  /**
   * Whether a tunnel without a list of its own uses it.
   */
  enabled: boolean
  /**
   * Lower numbers come first; equal ones in the order of the list.
   */
  priority: number
  /**
   * An executable that is this backend and speaks JSON-RPC over its standard streams, with its arguments.
   */
  command?: string[]
  /**
   * The backend's own settings; described by the schema of the backend.
   */
  config: {
    [k: string]: unknown
  }
}
/**
 * A local service and how it is published.
 */
export interface TunnelEntry {
  /**
   * Under this name the address is kept across restarts.
   */
  name: string
  /**
   * The local port of the service.
   */
  port: number
  /**
   * Host of the local service. `localhost` tries ::1 and 127.0.0.1.
   */
  host: string
  /**
   * Name to claim on networks that have names.
   */
  domain?: string
  /**
   * Backends by preference. Without it: the enabled ones by priority.
   */
  backends?: string[]
  /**
   * `priority`: the best that starts. `fallback`: also down on failure and up on recovery. `load-balance`: all at once, new connections spread. `multipath`: all at once, one connection over several.
   */
  strategy: 'priority' | 'fallback' | 'load-balance' | 'multipath'
  /**
   * How visitors spread new connections over the backends (`load-balance`): shares by the name of the backend. Without one: 1.
   */
  weights?: {
    [k: string]: number
  }
  health?: TunnelHealth
  budget?: PrivacyBudgetSettings
  access?: TunnelAccess
  http?: TunnelHttp
  /**
   * Options that only one network knows, by the name of the backend.
   */
  network?: {
    [k: string]: {}
  }
  /**
   * Lets networks that show the publisher's IP address be used beside or below networks that hide it.
   */
  allowExposure: boolean
}
/**
 * How a tunnel is watched, and how slow `fallback` is to move.
 */
export interface TunnelHealth {
  /**
   * Whether the publisher dials its own address through networks that hide it. Default: true.
   */
  selfCheck?: boolean
  /**
   * Mean distance of the checks while all is well. Default: 60s.
   */
  probeEvery?: string
  /**
   * How long one check may take. Default: 30s.
   */
  probeTimeout?: string
  /**
   * How long a network may be out of order before the next one is used. Default: 3s.
   */
  failAfter?: string
  /**
   * How long a better network must have worked before it takes the tunnel back; longer each time that it fails again. Default: 30s.
   */
  recoverAfter?: string
}
/**
 * What backends have to offer to be used, by what they declare.
 */
export interface PrivacyBudgetSettings {
  /**
   * At least so much anonymity.
   */
  anonymity?: 'low' | 'medium' | 'high'
  /**
   * At least so hard to block.
   */
  censorshipResistance?: 'low' | 'medium' | 'high'
  /**
   * Round trips of at most so long, by the network's design.
   */
  latency?: string
  /**
   * At least so many bytes per second, by the network's specification.
   */
  throughput?: number
}
/**
 * Who may connect. Without it: everybody who knows the address.
 */
export interface TunnelAccess {
  /**
   * Visitor keys, as `beam key show` prints them.
   */
  allow?: string[]
  /**
   * A word that visitors must know.
   */
  secret?: string
}
/**
 * HTTP features: Beam then reads the visitors' requests, also where a network's daemon could deliver by itself.
 */
export interface TunnelHttp {
  /**
   * The Host header that the service sees: a value such as app.test, or “rewrite” for that of a local visitor (localhost:3000).
   */
  hostHeader?: string
  /**
   * Headers of requests that do not reach the service.
   */
  dropRequestHeaders?: string[]
  /**
   * Headers that every answer carries (Onion-Location), in place of the service's own of the same name.
   */
  responseHeaders?: {
    [k: string]: string
  }
}
/**
 * How this machine takes part in Beam's own mesh.
 */
export interface P2PSettings {
  /**
   * `light`: own tunnels only. `routing`: relay for others within quotas. `full`: also bootstrap, rendezvous and record storage.
   */
  participation: 'light' | 'routing' | 'full'
  /**
   * Most links to other nodes at a time.
   */
  maxPeers: number
  /**
   * Whether ways through other nodes are used, and offered where the participation is for it.
   */
  routing: 'enabled' | 'disabled'
  /**
   * Whether records of services that gossip brings are kept in memory, for own lookups and those of others.
   */
  caching: 'enabled' | 'disabled'
  /**
   * First nodes of the DHT. Without it: the public ones; an empty list: no DHT.
   */
  bootstrap?: string[]
  /**
   * Nodes of the mesh that are known beforehand, as `beam node` prints them.
   */
  peers?: string[]
  /**
   * Meeting places behind Tor or I2P, as `beam node --rendezvous --tor` prints them. Tunnels with a domain on networks that hide the publisher are registered there, and names are looked up there and nowhere else.
   */
  rendezvous?: string[]
  /**
   * A domain whose DNS lists nodes of the mesh and of its DHT: TXT and SRV records of _beam._tcp.<domain>. `domain@address:port` asks that name server.
   */
  dns?: string
}
/**
 * How paths are chosen.
 */
export interface RoutingSettings {
  /**
   * Which relays are taken, where there is a choice. `quality`: by latency, bandwidth, reliability, congestion and trust; `latency`, `bandwidth`: by one of them; `geographic`: near ones by network coordinate; `random`.
   */
  strategy: 'quality' | 'latency' | 'bandwidth' | 'geographic' | 'random'
}

/**
 * The content of beam.config.yaml.
 */
export interface BeamConfigInput {
  /**
   * Where an editor finds this schema, in a file written as JSON.
   */
  $schema?: string
  /**
   * The networks that may be used. Without this list: the mesh.
   */
  backends?: BackendEntryInput[]
  /**
   * Packages and folders with further backends. A path starts with ./, ../ or / and is relative to the file.
   */
  plugins?: string[]
  /**
   * The local services that are published.
   */
  tunnels?: TunnelEntryInput[]
  p2p?: P2PSettingsInput
  routing?: RoutingSettingsInput
}
/**
 * A network and its own settings.
 */
export interface BackendEntryInput {
  /**
   * Name of the backend: one that Beam contains, one of a plugin, or the name of `command`.
   */
  name: string
  /**
   * Whether a tunnel without a list of its own uses it.
   */
  enabled?: boolean
  /**
   * Lower numbers come first; equal ones in the order of the list.
   */
  priority?: number
  /**
   * An executable that is this backend and speaks JSON-RPC over its standard streams, with its arguments.
   */
  command?: string[]
  /**
   * The backend's own settings; described by the schema of the backend.
   */
  config?: {
    [k: string]: unknown
  }
}
/**
 * A local service and how it is published.
 */
export interface TunnelEntryInput {
  /**
   * Under this name the address is kept across restarts.
   */
  name: string
  /**
   * The local port of the service.
   */
  port: number
  /**
   * Host of the local service. `localhost` tries ::1 and 127.0.0.1.
   */
  host?: string
  /**
   * Name to claim on networks that have names.
   */
  domain?: string
  /**
   * Backends by preference. Without it: the enabled ones by priority.
   */
  backends?: string[]
  /**
   * `priority`: the best that starts. `fallback`: also down on failure and up on recovery. `load-balance`: all at once, new connections spread. `multipath`: all at once, one connection over several.
   */
  strategy?: 'priority' | 'fallback' | 'load-balance' | 'multipath'
  /**
   * How visitors spread new connections over the backends (`load-balance`): shares by the name of the backend. Without one: 1.
   */
  weights?: {
    [k: string]: number
  }
  health?: TunnelHealthInput
  budget?: PrivacyBudgetSettingsInput
  access?: TunnelAccessInput
  http?: TunnelHttpInput
  /**
   * Options that only one network knows, by the name of the backend.
   */
  network?: {
    [k: string]: {}
  }
  /**
   * Lets networks that show the publisher's IP address be used beside or below networks that hide it.
   */
  allowExposure?: boolean
}
/**
 * How a tunnel is watched, and how slow `fallback` is to move.
 */
export interface TunnelHealthInput {
  /**
   * Whether the publisher dials its own address through networks that hide it. Default: true.
   */
  selfCheck?: boolean
  /**
   * Mean distance of the checks while all is well. Default: 60s.
   */
  probeEvery?: string
  /**
   * How long one check may take. Default: 30s.
   */
  probeTimeout?: string
  /**
   * How long a network may be out of order before the next one is used. Default: 3s.
   */
  failAfter?: string
  /**
   * How long a better network must have worked before it takes the tunnel back; longer each time that it fails again. Default: 30s.
   */
  recoverAfter?: string
}
/**
 * What backends have to offer to be used, by what they declare.
 */
export interface PrivacyBudgetSettingsInput {
  /**
   * At least so much anonymity.
   */
  anonymity?: 'low' | 'medium' | 'high'
  /**
   * At least so hard to block.
   */
  censorshipResistance?: 'low' | 'medium' | 'high'
  /**
   * Round trips of at most so long, by the network's design.
   */
  latency?: string
  /**
   * At least so many bytes per second, by the network's specification.
   */
  throughput?: number
}
/**
 * Who may connect. Without it: everybody who knows the address.
 */
export interface TunnelAccessInput {
  /**
   * Visitor keys, as `beam key show` prints them.
   */
  allow?: string[]
  /**
   * A word that visitors must know.
   */
  secret?: string
}
/**
 * HTTP features: Beam then reads the visitors' requests, also where a network's daemon could deliver by itself.
 */
export interface TunnelHttpInput {
  /**
   * The Host header that the service sees: a value such as app.test, or “rewrite” for that of a local visitor (localhost:3000).
   */
  hostHeader?: string
  /**
   * Headers of requests that do not reach the service.
   */
  dropRequestHeaders?: string[]
  /**
   * Headers that every answer carries (Onion-Location), in place of the service's own of the same name.
   */
  responseHeaders?: {
    [k: string]: string
  }
}
/**
 * How this machine takes part in Beam's own mesh.
 */
export interface P2PSettingsInput {
  /**
   * `light`: own tunnels only. `routing`: relay for others within quotas. `full`: also bootstrap, rendezvous and record storage.
   */
  participation?: 'light' | 'routing' | 'full'
  /**
   * Most links to other nodes at a time.
   */
  maxPeers?: number
  /**
   * Whether ways through other nodes are used, and offered where the participation is for it.
   */
  routing?: 'enabled' | 'disabled'
  /**
   * Whether records of services that gossip brings are kept in memory, for own lookups and those of others.
   */
  caching?: 'enabled' | 'disabled'
  /**
   * First nodes of the DHT. Without it: the public ones; an empty list: no DHT.
   */
  bootstrap?: string[]
  /**
   * Nodes of the mesh that are known beforehand, as `beam node` prints them.
   */
  peers?: string[]
  /**
   * Meeting places behind Tor or I2P, as `beam node --rendezvous --tor` prints them. Tunnels with a domain on networks that hide the publisher are registered there, and names are looked up there and nowhere else.
   */
  rendezvous?: string[]
  /**
   * A domain whose DNS lists nodes of the mesh and of its DHT: TXT and SRV records of _beam._tcp.<domain>. `domain@address:port` asks that name server.
   */
  dns?: string
}
/**
 * How paths are chosen.
 */
export interface RoutingSettingsInput {
  /**
   * Which relays are taken, where there is a choice. `quality`: by latency, bandwidth, reliability, congestion and trust; `latency`, `bandwidth`: by one of them; `geographic`: near ones by network coordinate; `random`.
   */
  strategy?: 'quality' | 'latency' | 'bandwidth' | 'geographic' | 'random'
}
