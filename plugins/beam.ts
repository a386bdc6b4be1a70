import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type {
  AccessPolicy,
  BackendCapabilities,
  BackendStatus,
  ConnectEvent,
  HealthSettings,
  HttpOptions,
  Identity,
  Migration,
  NetworkHealth,
  Path,
  Progress,
  PathReport,
  PrivacyBudget,
  PublishEvent,
  Strategy,
  StreamHandler,
  TunnelPlan,
  TunnelSnapshot,
} from '../core/index.ts'

export type { Strategy }

/** A local service. */
export interface PublishTarget {
  readonly port: number
  /** Default: `localhost` (::1 and 127.0.0.1 are both tried). */
  readonly host?: string
}

/** How a local service is published. */
export interface PublishOptions {
  /** Id of the tunnel in its events; default: a new one. */
  readonly id?: string
  /** Keeps the address across restarts; two processes cannot use one name at once. */
  readonly name?: string
  /** Claims a domain where the network has domains. */
  readonly domain?: string
  /** Backends by preference; default: the enabled ones of the configuration, else the mesh. */
  readonly backends?: readonly string[]
  /** Default: `priority`. */
  readonly strategy?: Strategy
  /** How visitors spread new connections over the backends, by name: 1 to 1000, default 1. */
  readonly weights?: Readonly<Record<string, number>>
  /** How the tunnel is watched, and how slow `fallback` is to move. */
  readonly health?: HealthSettings
  /** What backends have to offer to be used. Without a list of backends, those that are installed and not declared are considered too. */
  readonly budget?: PrivacyBudget
  readonly access?: AccessPolicy
  /** Lets networks that show the publisher's IP address be used beside or below networks that hide it. */
  readonly allowExposure?: boolean
  /** Fail when nothing listens on the local port, instead of waiting for it. */
  readonly requireService?: boolean
  /** HTTP features, such as the Host header that the service sees. Not together with `onStream`. */
  readonly http?: HttpOptions
  /** Takes the visitors' streams instead of the local port. */
  readonly onStream?: StreamHandler
  /** Options for single networks, by the name of the backend. */
  readonly network?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Networks that this machine takes part in, as a node, beside the tunnel, of which they learn nothing. */
  readonly join?: readonly string[]
  readonly onEvent?: (event: PublishEvent) => void
  /** Ends the attempt to start; a started tunnel is not touched by it. */
  readonly signal?: AbortSignal
}

/** Those options of a tunnel on which the choice of networks depends. */
export type PlanOptions = Pick<PublishOptions, 'backends' | 'strategy' | 'budget' | 'allowExposure' | 'access' | 'domain'>

/** A tunnel that is up. Disposing it stops it. */
export interface PublishedTunnel extends AsyncDisposable {
  readonly id: string
  /** As it is now. */
  snapshot(): TunnelSnapshot
  /** How each of its networks is, by preference: only what was measured. */
  health(): readonly NetworkHealth[]
  /** The backends that it may use, by preference. */
  backends(): readonly string[]
  /**
   * Moves it from one backend to another: the new endpoint is up and reached before anything happens to the old one, then open connections
   * drain, then the old one stops. When it fails or is called off, the old one is as it was.
   */
  migrate(migration: TunnelMigration): Promise<void>
  /** Ends it; harmless when repeated. */
  stop(reason?: string): Promise<void>
}

/** How a tunnel is moved from one backend to another, by their names. */
export type TunnelMigration = Omit<Migration, 'to'> & { readonly to: string }

/** How a service is reached. */
export interface ConnectOptions {
  /** Local address to listen on. Default: 127.0.0.1. */
  readonly host?: string
  /** Local port; 0 or absent = any free one. */
  readonly port?: number
  /** Spreads connections over so many isolation groups (Tor: circuits), 1 to 32. Default: 1. */
  readonly circuits?: number
  /** Show the stable visitor key (true), or this key, instead of a throw-away one. */
  readonly identity?: Identity | true
  /** The word of a publisher that asks for one. */
  readonly secret?: string
  /** Options for single networks, by the name of the backend. */
  readonly network?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The backend to use, and no other; default: the first that understands the address. */
  readonly backend?: string
  /**
   * The backends on which addresses may be used that the service's record lists beside the one that was given; default: the enabled ones of
   * the configuration.
   */
  readonly backends?: readonly string[]
  /** How several paths to the service are used. Default: `fallback`, or `multipath` where the service's record says that it joins streams. */
  readonly strategy?: Strategy
  /** How new connections are spread over backends, by name: 1 to 1000, default what the record says, else 1. */
  readonly weights?: Readonly<Record<string, number>>
  /** Lets networks that show the visitor's IP address be used beside or after networks that hide it. */
  readonly allowExposure?: boolean
  readonly onEvent?: (event: ConnectEvent) => void
  readonly signal?: AbortSignal
}

/** How a name is looked up. */
export interface ResolveNameOptions extends Pick<ConnectOptions, 'backend' | 'backends' | 'allowExposure' | 'signal'> {
  /** Told what the user should know of the answer: that nobody has verified it, that others claim the name too. */
  readonly onWarning?: (code: string, message: string) => void
}

/** How a meeting place is run. */
export interface HostPlaceOptions extends Pick<PublishOptions, 'network' | 'allowExposure' | 'health' | 'onEvent' | 'signal'> {
  /** The networks that lead to it: some that do not show who asks. */
  readonly backends: readonly string[]
  /** Keeps its key and addresses across restarts. It is a name of a tunnel: no tunnel of that name can run beside it. */
  readonly name?: string
}

/** A meeting place that is up. Disposing it stops it. */
export interface HostedPlace extends AsyncDisposable {
  /** The key that it holds, as text. */
  readonly id: string
  /** What publishers and visitors name in `p2p.rendezvous`, for each network. */
  addresses(): readonly string[]
  /** Services that it holds now. */
  registered(): number
  /** Ends it; harmless when repeated. */
  stop(reason?: string): Promise<void>
}

/** A local port that is the far service. Disposing it closes the port and its connections. */
export interface Connection extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly address: string
  readonly path: Path
  /** Every path with what was measured on it, the one that new connections take first at the head. */
  readonly paths: readonly PathReport[]
  readonly reveals: readonly string[]
  stop(reason?: string): Promise<void>
}

/** A backend as lists show it. */
export interface BackendSummary {
  readonly name: string
  /** Whether a tunnel without a list of its own uses it. */
  readonly enabled: boolean
  /** Lower comes first. */
  readonly priority: number
  /** `built-in`, `given`, `executable`, `not installed`, or what the configuration calls its plugin. */
  readonly source: string
  readonly description?: string
  readonly capabilities?: BackendCapabilities
  readonly status?: BackendStatus
  /** Why it cannot be used. */
  readonly problem?: string
}

/** One running Beam: identity, plugins, backends and tunnels of one process. */
export interface Beam extends AsyncDisposable {
  /** Publishes a local port. Resolves when the tunnel is ready; rejects when it can never be. */
  publish(target: number | PublishTarget, options?: PublishOptions): Promise<PublishedTunnel>
  /** What `publish` would use for these options, and why. Starts nothing and asks no network. */
  plan(options?: PlanOptions): Promise<TunnelPlan>
  /** Publishes a server of this process (`net`, `http`, `tls`) without a local port: visitors' streams become its connections. */
  listen(server: Server, options?: PublishOptions): Promise<PublishedTunnel>
  /** Makes the service behind an address a local port. Several addresses are several paths to the same service. */
  connect(address: string | readonly string[], options?: ConnectOptions): Promise<Connection>
  /** One stream to the service behind an address, or over the paths that several addresses are. */
  openStream(address: string | readonly string[], options?: Omit<ConnectOptions, 'host' | 'port' | 'circuits'>): Promise<Duplex>
  /**
   * The addresses that a name stands for, the best first: by the meeting places of `p2p.rendezvous` where there are some, else by the networks
   * that have names. What is accepted first is remembered.
   */
  resolve(name: string, options?: ResolveNameOptions): Promise<readonly string[]>
  /**
   * Runs a meeting place behind networks that hide, where other publishers register and their visitors find them without the mesh. It takes no part
   * in the mesh itself.
   */
  hostPlace(options: HostPlaceOptions): Promise<HostedPlace>
  /** The backends that are loaded or known. */
  backends(): Promise<readonly BackendSummary[]>
  /**
   * Brings a network up without publishing or visiting anything: a node that does something for others.
   * @throws as `publish` would
   */
  start(backend: string, options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void }): Promise<void>
  /**
   * Carries out an operation of a backend that this instance runs: `operate('tor', 'newnym')`.
   * @throws BackendUnavailableError (`BEAM_ERR_BACKEND_IDLE`) when it runs none of that name, UnsupportedError when it has no such operation
   */
  operate(
    backend: string,
    operation: string,
    input?: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, unknown>>>
  /** One's own stable visitor key, as text (made on first use). */
  visitorKey(): Promise<string>
}
