import { BackendUnavailableError, type Discovery } from '../../../core/index.ts'
import type { GossipAccess } from './gossip-discovery.ts'
import { MeshNetwork, type MeshNetworkOptions } from './mesh-network.ts'
import { PeerStore } from './peer-store.ts'

/** What the node is made of when somebody needs it. */
export interface NetworkSlotOptions extends Omit<MeshNetworkOptions, 'discovery' | 'onRelays'> {
  /** Asked for when the node starts: gossip is one of its own sources. */
  readonly discovery: () => Discovery
}

/** The place of this process's node: brought up when somebody needs it, and ended with the backend. */
export class NetworkSlot implements GossipAccess, AsyncDisposable {
  readonly #options: NetworkSlotOptions
  readonly #onStarted = new Set<(network: MeshNetwork) => void>()
  readonly #onRelays = new Set<() => void>()
  #starting: Promise<MeshNetwork> | undefined
  #network: MeshNetwork | undefined
  #ended = false

  constructor(options: NetworkSlotOptions) {
    this.#options = options
  }

  /** The node, when it is up. */
  get network(): MeshNetwork | undefined {
    return this.#network
  }

  get current(): GossipAccess['current'] {
    const network = this.#network
    return network === undefined ? undefined : { gossip: network.gossip, records: network.records, peers: () => network.node.peers.length }
  }

  /** Brings the node up; once for all who ask, again after a failure. @throws as `MeshNetwork.start` */
  start(): Promise<MeshNetwork> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  /** Called whenever the node has come up, at once when it is; until the returned function is called. */
  whenStarted(listener: (network: MeshNetwork) => void): () => void {
    this.#onStarted.add(listener)
    if (this.#network !== undefined) listener(this.#network)
    return () => this.#onStarted.delete(listener)
  }

  /** Told when the relays of this process's services change, until the returned function is called. */
  onRelays(listener: () => void): () => void {
    this.#onRelays.add(listener)
    return () => this.#onRelays.delete(listener)
  }

  /** Ends the node and begins anew, under another key unless it keeps one; with `forget` also without the peers of former times. */
  async restart(options: { readonly forget?: boolean } = {}): Promise<MeshNetwork> {
    await this.#stop()
    if (options.forget === true) await new PeerStore(this.#options.paths, this.#options.logger).forget()
    return this.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#stop()
  }

  async #start(): Promise<MeshNetwork> {
    if (this.#ended) throw new BackendUnavailableError('The mesh was stopped.')
    const { discovery, ...options } = this.#options
    const onRelays = (): void => {
      for (const listener of this.#onRelays) listener()
    }
    const network = await MeshNetwork.start({ ...options, discovery: discovery(), onRelays })
    if (this.#ended) {
      await network[Symbol.asyncDispose]()
      throw new BackendUnavailableError('The mesh was stopped.')
    }
    this.#network = network
    for (const listener of this.#onStarted) listener(network)
    return network
  }

  async #stop(): Promise<void> {
    const starting = this.#starting
    this.#starting = undefined
    const network = await starting?.catch(() => undefined)
    this.#network = undefined
    await network?.[Symbol.asyncDispose]()
  }
}
