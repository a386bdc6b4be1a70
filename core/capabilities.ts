/** How well a network hides who talks to whom, from `none` (both ends see each other's IP address) to `high` (against an observer of the whole network). */
export type AnonymityLevel = 'none' | 'low' | 'medium' | 'high'

/** How hard the network is to block. */
export type CensorshipResistance = 'none' | 'low' | 'medium' | 'high'

/** What the network carries: live byte streams, single bounded messages, or snapshots of a site. */
export type Delivery = 'stream' | 'message' | 'site'

/** The levels of anonymity and of resistance to blocking, the least first. */
export const LEVELS = ['none', 'low', 'medium', 'high'] as const satisfies readonly AnonymityLevel[]

/** What a backend can do and what it reveals: constant for a configured backend, known without any I/O. */
export interface BackendCapabilities {
  /** Whether `registerDomain` and `resolveDomain` work. */
  readonly supportsDomains: boolean
  readonly supportsIPv6: boolean
  /**
   * Relays between the two ends, one after another, by the network's design (Tor's onion services: 6; 0 = the ends are connected directly).
   * With `holdMs` it says in which class of latency the network is. Absent where the design does not say. Never a measurement.
   */
  readonly relays?: number
  /** How long the network holds a message back on purpose, one way, in milliseconds (mixnets). Default: 0. */
  readonly holdMs?: number
  /** Bytes per second that the network can carry by its specification; `Infinity` when only the machine limits it. Never a measurement. */
  readonly maxThroughput: number
  readonly anonymityLevel: AnonymityLevel
  readonly censorshipResistance: CensorshipResistance
  readonly delivery: Delivery
  /** Whether a visitor, or anybody who looks the service up, can learn the publisher's IP address. */
  readonly exposesPublisherIp: boolean
  /** Whether the publisher can learn a visitor's IP address. */
  readonly exposesVisitorIp: boolean
  /** Whether the same name gives the same address again after a restart. */
  readonly persistentAddresses: boolean
  /** Whether `TunnelOptions.access` is enforced by this backend. */
  readonly accessControl: boolean
  /**
   * Whether the network's daemon connects to the local port by itself. Beam then stays out of the path unless something needs it there.
   * Default: false.
   */
  readonly deliversDirectly?: boolean
  /**
   * Whether `dial` hands out a stream before the far end was heard, and `confirm` cannot change that (I2P). Visitors who have other paths then
   * let the publisher's Beam say first that it is there, and Beam answers them on every tunnel of the network. Default: false.
   */
  readonly opensUnheard?: boolean
}
