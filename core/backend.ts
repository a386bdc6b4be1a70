/**
 * The contract between Beam and a network. Every "must" below is one test of the conformance suite (core/testing/conformance), and the
 * other way round.
 */
import type { Duplex } from 'node:stream'
import type { BackendCapabilities } from './capabilities.ts'
import type { Identity } from './identity/identity.ts'

/** The states of a backend's network. */
export type BackendState = 'idle' | 'starting' | 'running' | 'degraded' | 'stopping' | 'stopped' | 'failed'

/** How far one endpoint is: known but not yet announced, usable, or out of order (the backend keeps trying). */
export type EndpointState = 'announcing' | 'active' | 'down'

/** One address under which a tunnel can be reached on one network. */
export interface Endpoint {
  /** Name of the backend. */
  readonly backend: string
  /** What a visitor types: `beam://…`, `http://….onion`, … */
  readonly address: string
  readonly state: EndpointState
  /** What somebody who holds the address can learn of the publisher, one short sentence each. */
  readonly reveals: readonly string[]
}

/** What happens to a tunnel while a backend brings it up and keeps it up. */
export type TunnelEvent =
  | { readonly type: 'progress'; readonly phase: string; readonly percent?: number; readonly message: string }
  /** The address is known (it may not be reachable yet). */
  | { readonly type: 'address'; readonly address: string }
  /** The state of an endpoint changed; `reason` says why, for people. */
  | { readonly type: 'state'; readonly address: string; readonly state: EndpointState; readonly reason: string }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }

/** Who a stream comes from, as far as the network tells. */
export interface Visitor {
  /** Name of the backend. */
  readonly backend: string
  /** The visitor's key in the backend's own notation, when the network authenticates one. */
  readonly key?: string
  /** The visitor's network address, when the network reveals it. Sensitive. */
  readonly remoteAddress?: string
}

/** Takes a visitor's stream. It owns the stream from then on. */
export type StreamHandler = (stream: Duplex, visitor: Visitor) => void

/** Who may connect. Absent = everybody who knows the address. */
export interface AccessPolicy {
  /** Visitor keys as `beam key show` prints them; empty = any key. */
  readonly allow?: readonly string[]
  /** A word that visitors must know. Never sent over the wire. */
  readonly secret?: string
}

/** What a tunnel is to be. */
export interface TunnelOptions {
  /** Id of the tunnel; made up by the backend when absent. Must be unused in this backend. */
  readonly id?: string
  /** Name by which the address is kept across restarts. Absent = a new address every time. */
  readonly name?: string
  /** Host of the local service. Default: `localhost`, on which both ::1 and 127.0.0.1 are tried. */
  readonly host?: string
  /** Domain to claim for the tunnel (only where the network has domains). */
  readonly domain?: string
  /** The service key, where the caller keeps keys; a backend with keys of its own kind ignores it. */
  readonly identity?: Identity
  readonly access?: AccessPolicy
  /** Takes the visitors' streams instead of the local port. */
  readonly onStream?: StreamHandler
  /** Told what happens, from the call of `startTunnel` until the tunnel ends. Must not throw. */
  readonly onEvent?: (event: TunnelEvent) => void
  /** Ends the attempt to start; a started tunnel is not touched by it. */
  readonly signal?: AbortSignal
  /** Options that only this network knows, validated by the backend. */
  readonly network?: Readonly<Record<string, unknown>>
}

/** A started tunnel, as it is at the moment of asking. */
export interface TunnelInfo {
  readonly id: string
  readonly backend: string
  readonly name?: string
  /** The local port that is published. */
  readonly port: number
  readonly endpoints: readonly Endpoint[]
}

/** A backend's state at the moment of asking. */
export interface BackendStatus {
  readonly state: BackendState
  /** Why, for people. */
  readonly message?: string
  /** Version of the daemon or library that carries the network. */
  readonly version?: string
  readonly tunnels: readonly TunnelInfo[]
}

/** Figures that were measured; what was not measured is absent. */
export interface NetworkStats {
  /** Bytes from visitors to local services and back, since the backend started. */
  readonly bytesIn?: number
  readonly bytesOut?: number
  readonly openStreams?: number
  readonly totalStreams?: number
  /** Other nodes of the network that are connected now. */
  readonly peers?: number
  /** Median round trip to connected peers, in milliseconds. */
  readonly latencyMs?: number
}

/** What a resolution may use. */
export interface ResolutionContext {
  readonly signal?: AbortSignal
}

/** A domain that now points to a tunnel. */
export interface DomainRegistration {
  readonly domain: string
  readonly address: string
  /** Whether the network itself guarantees that nobody else holds the name. A claim on a network without a registry is not exclusive. */
  readonly exclusive: boolean
  /** When it has to be renewed (the backend does so while the tunnel runs), in milliseconds since the epoch. */
  readonly expiresAt?: number
}

/**
 * One network.
 *
 * Lifecycle: a constructor does no I/O and cannot fail on the network. `initialize` is called once, before anything else that does I/O.
 * After `[Symbol.asyncDispose]` no tunnel, socket, timer or child process of the backend must be left; calling it twice must be harmless.
 */
export interface NetworkBackend extends AsyncDisposable {
  /** Short lower-case name, unique among the loaded backends. */
  readonly name: string

  /**
   * Brings up what all tunnels share. Must reject with the signal's reason when the signal fires.
   * @throws BackendUnavailableError when the network cannot be used from this machine.
   */
  initialize(options?: { readonly signal?: AbortSignal }): Promise<void>

  /**
   * Publishes a local TCP port. Resolves when visitors can connect, as far as the backend can tell (the mesh: it listens).
   * The id must be unique; every endpoint must carry an address that `isDialler` backends can dial; streams must be byte-exact
   * under back-pressure and half-close, and a reset must arrive as a reset. A failure must leave nothing behind.
   * Must reject with the signal's reason when the signal has fired or fires while it waits.
   * @throws BackendUnavailableError, ConfigError (port, options)
   */
  startTunnel(port: number, options?: TunnelOptions): Promise<TunnelInfo>

  /** Ends a tunnel and closes its streams. Must be harmless when repeated or when the id is unknown. */
  stopTunnel(tunnelId: string): Promise<void>

  /** The state and the running tunnels. Must never reject, and answer within a second. */
  getStatus(): Promise<BackendStatus>

  /**
   * The address that a domain stands for.
   * @throws UnreachableError (`BEAM_ERR_NOT_FOUND`) when nobody claims it, UnsupportedError where the network has no domains.
   */
  resolveDomain(domain: string, context: ResolutionContext): Promise<string>

  /**
   * Claims a domain for the tunnel with this id (default: the tunnel that was started last).
   * @throws UnsupportedError where the network has no domains.
   */
  registerDomain(domain: string, options?: { readonly tunnelId?: string; readonly signal?: AbortSignal }): Promise<DomainRegistration>

  /** What the backend can do. Must answer without I/O and always the same. */
  getCapabilities(): BackendCapabilities

  /** What was measured so far. */
  getNetworkStats(): Promise<NetworkStats>
}

/** How the far end is approached. */
export interface DialOptions {
  readonly signal?: AbortSignal
  /** A stable visitor key, when the publisher asks for one. Absent = a throw-away key. */
  readonly identity?: Identity
  /** The word of a publisher that asks for one. */
  readonly secret?: string
  /** Streams with different values must not be linkable by the network where it can keep them apart (Tor: circuits). */
  readonly isolation?: string
}

/** One way to a service, as it is now. */
export interface Path {
  readonly backend: string
  /** `direct`, `hole-punched`, `relayed`, `onion`, … */
  readonly kind: string
  /** Nodes between the two ends. */
  readonly hops: number
  /** The next hop's network address, when there is one. Sensitive. */
  readonly remoteAddress?: string
  /** Measured round trip, in milliseconds. */
  readonly latencyMs?: number
}

/** A backend that opens byte streams to addresses of its network. */
export interface Dialler {
  /** Whether this backend understands the address. No I/O. */
  canDial(address: string): boolean
  /**
   * Reaches the address end to end, without a stream to the service, and says how. What it builds up serves later dials.
   * @throws UnreachableError, BackendUnavailableError, TimeoutError
   */
  reach(address: string, options?: DialOptions): Promise<Path>
  /**
   * A stream to the service behind the address.
   * Must reject with the signal's reason when the signal fires; the stream must pass on half-close and resets.
   * @throws UnreachableError (theirs), BackendUnavailableError (ours), TimeoutError
   */
  dial(address: string, options?: DialOptions): Promise<Duplex>
  /** What dialling reveals of the visitor, one short sentence each. */
  dialReveals(address: string): readonly string[]
}

/** A backend that sends and receives single messages: bounded, in no promised order, perhaps not at all. */
export interface MessageNetwork {
  /** Largest message, in bytes. */
  readonly maxMessageBytes: number
  send(address: string, message: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>
  onMessage(handler: (message: Uint8Array, replyTo: string | undefined) => void): () => void
}

/** A backend that publishes a snapshot of a site instead of live traffic. */
export interface SitePublisher {
  publishSite(
    folder: string,
    options?: { readonly name?: string; readonly signal?: AbortSignal },
  ): Promise<{ readonly address: string }>
}

const has = (value: object, ...methods: string[]): boolean =>
  methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')

/** Whether the backend opens streams to addresses. */
export function isDialler(backend: NetworkBackend): backend is NetworkBackend & Dialler {
  return has(backend, 'canDial', 'reach', 'dial', 'dialReveals')
}

/** Whether the backend carries single messages. */
export function isMessageNetwork(backend: NetworkBackend): backend is NetworkBackend & MessageNetwork {
  return has(backend, 'send', 'onMessage')
}

/** Whether the backend publishes snapshots of sites. */
export function isSitePublisher(backend: NetworkBackend): backend is NetworkBackend & SitePublisher {
  return has(backend, 'publishSite')
}
