/**
 * What some networks can do beyond the contract (backend.ts): each power is an interface, and a question whether a backend has it.
 * Promises stand in brackets, as there.
 */
import type { Duplex } from 'node:stream'
import type { Progress, NetworkBackend } from './backend.ts'
import type { Identity } from './identity/identity.ts'
import type { ServiceRecord } from './records/record.ts'

/** How the far end is approached. */
export interface DialOptions {
  readonly signal?: AbortSignal
  /** A stable visitor key, when the publisher asks for one. Absent = a throw-away key. */
  readonly identity?: Identity
  /** The word of a publisher that asks for one. */
  readonly secret?: string
  /**
   * Answer only when the far end has shown now that it lives. A network where a stream is handed out before anything was heard (an open
   * link) asks first; where dialling waits for the far end anyway, nothing changes.
   */
  readonly confirm?: boolean
  /** Streams with different values must not be linkable by the network where it can keep them apart (Tor: circuits) [isolation]. */
  readonly isolation?: string
  /** Options that only this network knows, validated by the backend. */
  readonly network?: Readonly<Record<string, unknown>>
  /** Told how far the network is, where it has to be joined first. */
  readonly onProgress?: (progress: Progress) => void
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
  /** Whether this backend understands the address. No I/O. Must say no to what is no address of its network [can-dial]. */
  canDial(address: string): boolean
  /**
   * Reaches the address end to end, without a stream to the service, and must say how [reach-path]. What it builds up serves later dials.
   * @throws UnreachableError, BackendUnavailableError, TimeoutError
   */
  reach(address: string, options?: DialOptions): Promise<Path>
  /**
   * A stream to the service behind the address: `end()` ends the visitor's direction only; `destroy(error)`
   * (`resetAndDestroy()` on a TCP socket) resets it. A reset from the far end closes the stream without `end`.
   * Must reject with the signal's reason when the signal has fired [dial-abort-before] or fires while it waits [dial-abort-during].
   * @throws UnreachableError (theirs), BackendUnavailableError (ours), TimeoutError
   */
  dial(address: string, options?: DialOptions): Promise<Duplex>
  /** What dialling reveals of the visitor, one short sentence each. */
  dialReveals(address: string): readonly string[]
}

/**
 * A backend that sends and receives single messages: bounded, in no promised order, perhaps not at all. Messages go to the endpoint
 * addresses of the receiving backend's tunnels. What arrives must be what was sent [message-exact].
 */
export interface MessageNetwork {
  /** Largest message, in bytes. A larger one must be refused by `send` [message-size-limit]. */
  readonly maxMessageBytes: number
  send(address: string, message: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Hears every message until the returned function is called, after which it must hear nothing [message-unsubscribe]. */
  onMessage(handler: (message: Uint8Array, replyTo: string | undefined) => void): () => void
}

/** A backend that publishes a snapshot of a site instead of live traffic. */
export interface SitePublisher {
  /**
   * Publishes the files of a folder. Under the address every file must be found unchanged [site-published].
   * Must reject with the signal's reason when the signal has fired [site-abort].
   */
  publishSite(folder: string, options?: { readonly name?: string; readonly signal?: AbortSignal }): Promise<{ readonly address: string }>
}

/** An address of a tunnel on another network, as a record lists it. */
export interface ListedEndpoint {
  readonly address: string
  /** Share of new connections among the endpoints of the record, 1 to 1000. */
  readonly weight: number
}

/** What a record says of a tunnel besides the addresses of its own network. */
export interface TunnelDescription {
  /** Addresses on other networks, the best first. Only what may be known together is given. */
  readonly endpoints: readonly ListedEndpoint[]
  /** Weight of the addresses of this network. */
  readonly weight: number
  /** What visitors may count on: `multipath`. */
  readonly capabilities: readonly string[]
}

/** A backend that announces its tunnels by signed records. */
export interface RecordKeeper {
  /** Puts this into the record of a running tunnel from now on; an unknown tunnel is passed over. Does not wait for the network. */
  describeTunnel(tunnelId: string, description: TunnelDescription): void
}

/** A backend that finds signed records of services. */
export interface RecordSource {
  /**
   * The newest genuine record of the service behind an address of this network, as far as it can be found; undefined = none. It asks no longer
   * than the signal allows, and does not need the service to be reachable.
   */
  findRecord(address: string, options: { readonly signal: AbortSignal }): Promise<ServiceRecord | undefined>
}

/** Something that a running backend can be asked or told by its user: `beam tor status`, `beam tor newnym`. */
export interface Operation {
  readonly name: string
  /** One line for lists. */
  readonly description: string
  /** Whether it changes anything. */
  readonly changes: boolean
}

/** A backend with operations of its own. */
export interface Operable {
  readonly operations: readonly Operation[]
  /**
   * Carries one out. The answer is a plain JSON value without private keys.
   * @throws ConfigError for input that is not what the operation takes, UnsupportedError for an unknown operation, BackendUnavailableError
   */
  operate(
    operation: string,
    input?: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, unknown>>>
}

/** Largest key material of one tunnel, in bytes: an onion key has a hundred, an I2P destination with its clients a few thousand. */
export const MAX_KEY_MATERIAL_BYTES = 64 * 1024

/**
 * A backend that keeps keys of named tunnels in files of its own (an onion key, an I2P destination), so that they can be moved to another
 * machine. Both methods work on files alone: without `initialize`, the network and its daemon. With the keys of a tunnel, another backend
 * of the kind must give a tunnel of the same name the same address [keys-move].
 */
export interface KeyKeeper {
  /**
   * All that gives the tunnel of this name its address on this network, private parts included; undefined when there is none. At most
   * {@link MAX_KEY_MATERIAL_BYTES}.
   * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`)
   */
  exportKeys(name: string): Promise<Uint8Array | undefined>
  /**
   * Stores such material, readable by its owner only. Where the same material is there already, nothing happens; other material is replaced
   * only with `replace`.
   * @throws ConfigError: `BEAM_ERR_KEY_EXISTS`, or `BEAM_ERR_KEY_STORAGE` when the material is not intact or cannot be stored
   */
  importKeys(name: string, material: Uint8Array, options?: { readonly replace?: boolean }): Promise<void>
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

/** Whether the backend has operations of its own. */
export function isOperable(backend: NetworkBackend): backend is NetworkBackend & Operable {
  return has(backend, 'operate') && Array.isArray((backend as Partial<Operable>).operations)
}

/** Whether the backend keeps keys of its own, which can be moved. */
export function isKeyKeeper(backend: NetworkBackend): backend is NetworkBackend & KeyKeeper {
  return has(backend, 'exportKeys', 'importKeys')
}

/** Whether the backend finds signed records of services. */
export function isRecordSource(backend: NetworkBackend): backend is NetworkBackend & RecordSource {
  return has(backend, 'findRecord')
}

/** Whether the backend announces its tunnels by signed records. */
export function isRecordKeeper(backend: NetworkBackend): backend is NetworkBackend & RecordKeeper {
  return has(backend, 'describeTunnel')
}
