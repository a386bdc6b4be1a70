/** The part of hyperdht 6 that Beam uses; the package has no types of its own. */
declare module 'hyperdht' {
  import type { EventEmitter } from 'node:events'

  namespace HyperDHT {
    interface KeyPair {
      readonly publicKey: Buffer
      readonly secretKey: Buffer
    }

    interface HostAddress {
      readonly host: string
      readonly port: number
    }

    interface NodeOptions {
      /** Never left out: the library's default is its public network. */
      readonly bootstrap: readonly (string | HostAddress)[]
      readonly host?: string
      /** A port, or a range from its first to before its last; `[0, 0]` is any port (a plain 0 means the default port). */
      readonly port?: number | readonly [number, number]
      readonly ephemeral?: boolean
      readonly firewalled?: boolean
      readonly keyPair?: KeyPair
      /** Timeouts of requests by what was measured, instead of a second each. `fallback` is for nodes never asked before. */
      readonly adaptiveTimeout?: {
        readonly fallback?: readonly number[]
        readonly min?: number
        readonly max?: number
        readonly jitter?: number
      }
    }

    /** Groups requests so that they can be given up together. */
    interface Session {
      destroy(): void
    }

    interface QueryOptions {
      readonly session?: Session
    }

    /** An answer of a node, to a query or to a single request. */
    interface Reply {
      /** 0 = none. */
      readonly error: number
      /** What the node wants to see from whoever stores something there. */
      readonly token: Uint8Array | null
      readonly from: HostAddress & { readonly id: Uint8Array | null }
      /** Nodes that are nearer to the target, as this one knows. Those that are of no use have no id yet. */
      readonly closerNodes: readonly (HostAddress & { readonly id?: Uint8Array | null })[] | null
    }

    /** A query that ends with a request to the nodes that are nearest to its target. */
    interface StoringQuery {
      readonly target: Uint8Array
      readonly command: number
      readonly value: Uint8Array | null
    }

    interface StoringOptions extends QueryOptions {
      /** Makes of an answer what the query yields. */
      readonly map: (reply: Reply) => unknown
      /** The request to one of the nearest. */
      readonly commit: (reply: Reply, dht: HyperDHT) => Promise<Reply>
    }

    interface PeerReply {
      readonly from: HostAddress
      readonly peer: { readonly publicKey: Buffer }
    }

    interface LookupReply {
      readonly from: HostAddress
      readonly peers: readonly { readonly publicKey: Buffer }[]
    }

    interface MutableReply {
      readonly seq: number
      readonly value: Buffer
    }

    /** A running query: its replies, one by one. */
    interface Query<Reply> extends AsyncIterable<Reply> {
      /** @throws when too few nodes answered */
      finished(): Promise<void>
    }

    /** An encrypted stream between two keys: a streamx duplex, which is close to Node's but is none. */
    interface NoiseSocket extends EventEmitter {
      readonly remotePublicKey: Buffer
      readonly destroyed: boolean
      write(data: Uint8Array): boolean
      end(): void
      destroy(error?: Error): void
    }

    interface Server {
      listen(keyPair: KeyPair): Promise<Server>
      /** Announces again as soon as possible. */
      refresh(): void
      close(): Promise<void>
      on(event: 'connection', listener: (socket: NoiseSocket) => void): this
    }

    interface ServerOptions {
      /** Returns true to refuse. */
      readonly firewall?: () => boolean
      readonly shareLocalAddress?: boolean
    }

    interface ConnectOptions {
      readonly keyPair?: KeyPair
      /** Nodes that know the way, asked first. */
      readonly relayAddresses?: HostAddress[]
      readonly localConnection?: boolean
    }
  }

  class HyperDHT extends EventEmitter {
    static readonly BOOTSTRAP: readonly string[]
    /** A node that others start from, at this port and IPv4 address and no other. */
    static bootstrapper(port: number, host: string, options: HyperDHT.NodeOptions): HyperDHT
    static keyPair(seed?: Uint8Array): HyperDHT.KeyPair

    constructor(options: HyperDHT.NodeOptions)
    /** The nodes of the routing table. */
    readonly nodes: { readonly length: number }
    readonly table: { readonly id: Buffer }
    /** False when no request was answered for a while. */
    readonly online: boolean
    /** Null when the node does not store for others. */
    readonly id: Buffer | null

    /** Opens the sockets. Rejects when they cannot be opened. */
    bind(): Promise<void>
    fullyBootstrapped(): Promise<void>
    address(): HyperDHT.HostAddress | null
    session(): HyperDHT.Session
    /** What all queries go through, also those of the methods below. */
    query(request: HyperDHT.StoringQuery, options: HyperDHT.StoringOptions): HyperDHT.Query<unknown>
    findNode(target: Uint8Array, options?: HyperDHT.QueryOptions): HyperDHT.Query<unknown>
    findPeer(publicKey: Uint8Array, options?: HyperDHT.QueryOptions): HyperDHT.Query<HyperDHT.PeerReply>
    lookup(target: Uint8Array, options?: HyperDHT.QueryOptions): HyperDHT.Query<HyperDHT.LookupReply>
    announce(
      target: Uint8Array,
      keyPair: HyperDHT.KeyPair,
      relayAddresses: readonly HyperDHT.HostAddress[],
    ): HyperDHT.Query<HyperDHT.LookupReply>
    unannounce(target: Uint8Array, keyPair: HyperDHT.KeyPair): Promise<void>
    mutablePut(keyPair: HyperDHT.KeyPair, value: Uint8Array, options: { readonly seq: number }): Promise<unknown>
    /** `latest: false` returns the first valid value instead of the newest. */
    mutableGet(
      publicKey: Uint8Array,
      options?: HyperDHT.QueryOptions & { readonly seq?: number; readonly latest?: boolean },
    ): Promise<HyperDHT.MutableReply | null>
    createServer(options: HyperDHT.ServerOptions): HyperDHT.Server
    connect(publicKey: Uint8Array, options: HyperDHT.ConnectOptions): HyperDHT.NoiseSocket
    destroy(options?: { readonly force?: boolean }): Promise<void>
  }

  export = HyperDHT
}
