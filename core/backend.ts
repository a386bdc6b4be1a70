/**
 * The contract between Beam and a network. What a backend must do is a promise; the word in brackets after it, `[stop-twice]`, is the
 * name of the promise in the conformance suite (core/testing/conformance). Every promise here is one test there, and the other way round.
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
  /** Forms of the address that name a place to dial, for visitors whom discovery does not help (the mesh: `beam://…@host:port`). */
  readonly direct?: readonly string[]
  /** What somebody who holds the address can learn of the publisher, one short sentence each. */
  readonly reveals: readonly string[]
}

/** How far something that takes long is: a network that is being joined, a tunnel that is being published. */
export interface Progress {
  /** A short word for programs: `bootstrap`, `publishing`, … */
  readonly phase: string
  /** 0 to 100, where the network says so. */
  readonly percent?: number
  /** For people, also why it stands still. */
  readonly message: string
}

/** What happens to a tunnel while a backend brings it up and keeps it up. */
export type TunnelEvent =
  | ({ readonly type: 'progress' } & Progress)
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
  /**
   * What this network tells HTTP servers of a visitor (I2P: `X-I2P-DestB32`), by lower-case name. Added to requests where Beam reads HTTP for
   * the tunnel; what the visitor itself sends under these names is dropped.
   */
  readonly httpHeaders?: Readonly<Record<string, string>>
}

/** Takes a visitor's stream. It owns the stream from then on. */
export type StreamHandler = (stream: Duplex, visitor: Visitor) => void

/** Who may connect. Absent = everybody who knows the address. */
export interface AccessPolicy {
  /** Visitor keys as `beam key show` prints them; empty = any key. */
  readonly allow?: readonly string[]
  /** A word that visitors have to know. Never sent over the wire. */
  readonly secret?: string
}

/** What a tunnel is to be. */
export interface TunnelOptions {
  /** Id of the tunnel; made up by the backend when absent. The backend must keep to it [id-kept] and must refuse one in use [id-taken]. */
  readonly id?: string
  /**
   * Name by which the address is kept across restarts. Absent = a new address every time. Where addresses are persistent, the same name
   * (and identity) must give the same address again [address-persistent].
   */
  readonly name?: string
  /** Host of the local service. Default: `localhost`, on which both ::1 and 127.0.0.1 are tried. */
  readonly host?: string
  /** Domain to claim for the tunnel. Where the network has domains, it must resolve to the tunnel [domain-option]. */
  readonly domain?: string
  /** The service key, where the caller keeps keys; a backend with keys of its own kind ignores it. */
  readonly identity?: Identity
  /**
   * Where access is controlled, a visitor with an allowed key must get in [access-allowed], one with another key or none must not
   * reach the service [access-refused]; the right word must let in [access-secret-right], a wrong one or none must not
   * [access-secret-wrong].
   */
  readonly access?: AccessPolicy
  /** Takes the visitors' streams instead of the local port, which must then not be used [on-stream]. */
  readonly onStream?: StreamHandler
  /**
   * Told what happens, from the call of `startTunnel` until the tunnel ends; it does not throw. It must be told each address, at the
   * latest when `startTunnel` resolves [address-event].
   */
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
  /** Told what the user should know of the answer: that nobody has verified it, that others claim the name too. */
  readonly onWarning?: (code: string, message: string) => void
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
 * Lifecycle: a constructor must open nothing on the network [constructor-no-io] and cannot fail on it. `initialize` comes before anything
 * else that does I/O; repeating it must be harmless [initialize-twice].
 * After `[Symbol.asyncDispose]` no tunnel, socket, timer or child process of the backend must be left [dispose-leaves-nothing]; calling it
 * twice must be harmless [dispose-twice], and so must calling it without `initialize` [dispose-idle].
 *
 * Anonymity: where `exposesPublisherIp` and `exposesVisitorIp` are not both true, the two ends must not be connected directly
 * [no-direct-connection] and no name must be looked up in the DNS [no-dns-lookup]. Where `exposesVisitorIp` is false, the publisher must
 * not be told a visitor's network address [visitor-address-hidden].
 */
export interface NetworkBackend extends AsyncDisposable {
  /** Short lower-case name, unique among the loaded backends. */
  readonly name: string

  /**
   * Brings up what all tunnels share, and says how far it is. Must reject with the signal's reason when the signal has fired or fires while
   * it waits [initialize-abort].
   * @throws BackendUnavailableError when the network cannot be used from this machine.
   */
  initialize(options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void }): Promise<void>

  /**
   * Publishes a local TCP port. Resolves when visitors can connect, as far as the backend can tell (the mesh: it listens).
   * The id must be unique [id-unique]; every endpoint must carry an address that `isDialler` backends can dial [endpoint-dialable].
   * A failure must leave nothing behind [start-failure-leaves-nothing]. A port that is no whole number from 1 to 65535 must be refused with
   * a ConfigError [port-invalid].
   * Must reject with the signal's reason when the signal has fired [start-abort-before] or fires while it waits [start-abort-during].
   *
   * Streams must be byte-exact, also with a slow reader [bytes-to-visitor] [bytes-to-service], and must hold the sender back instead of
   * filling memory [backpressure-to-visitor] [backpressure-to-service]. When one side ends, the other direction must go on: the visitor's
   * end first [half-close-visitor], the service's first [half-close-service], also before its side read anything [half-close-untouched].
   * A reset must arrive as a reset, not as an end [reset-from-service] [reset-from-visitor], and a tunnel must outlive many of
   * them [resets-in-a-row]. Many streams must work at once [parallel-streams], stalled ones must not block others [stalled-readers], and
   * one after the other all must succeed [sequential-connections]. A local service that is absent must reset the stream or fail the dial,
   * and the tunnel must live on [service-absent].
   * What is a protocol over TCP must work: a short exchange [echo], HTTP on a kept connection [http-keep-alive] and in chunks
   * [http-chunked], WebSocket [websocket], server-sent events [server-sent-events], pipelined binary requests [binary-protocol].
   * @throws BackendUnavailableError, ConfigError (port, options)
   */
  startTunnel(port: number, options?: TunnelOptions): Promise<TunnelInfo>

  /**
   * Ends a tunnel; its streams must be closed and no new ones accepted [stop-ends-tunnel]. Must be harmless when repeated [stop-twice] or
   * when the id is unknown [stop-unknown].
   */
  stopTunnel(tunnelId: string): Promise<void>

  /** The state and the running tunnels, which must all be there [status-tunnels]. Must never reject [status-never-rejects], and must answer within a second [status-prompt]. */
  getStatus(): Promise<BackendStatus>

  /**
   * The address that a domain stands for. Must reject with an UnreachableError (`BEAM_ERR_NOT_FOUND`) when nobody claims it
   * [domain-unknown], and, like `registerDomain`, with an UnsupportedError where the network has no domains [domain-unsupported].
   */
  resolveDomain(domain: string, context: ResolutionContext): Promise<string>

  /**
   * Claims a domain for the tunnel with this id (default: the tunnel that was started last). Afterwards the domain must resolve to an
   * address of that tunnel, also for others on the network [domain-resolves].
   */
  registerDomain(domain: string, options?: { readonly tunnelId?: string; readonly signal?: AbortSignal }): Promise<DomainRegistration>

  /** What the backend can do. Must answer without I/O [capabilities-no-io] and always the same [capabilities-constant]. */
  getCapabilities(): BackendCapabilities

  /** What was measured so far. */
  getNetworkStats(): Promise<NetworkStats>
}
