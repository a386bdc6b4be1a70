import { CleanupStack } from '../cleanup.ts'
import { seededRandom } from './random.ts'

/** More nodes than this in one process measure the machine and no longer the network. */
const MAX_NODES = 256
/** Nodes that come up or go down at the same time: enough to be quick, few enough for two cores. */
const AT_ONCE = 8

/** Something that can be brought up and disposed of: a `NetworkBackend`, or a node of another kind. */
export interface TestnetNode extends AsyncDisposable {
  initialize?(options?: { readonly signal?: AbortSignal }): Promise<void>
}

/** Nodes on one machine. Disposing it ends them all. */
export interface Testnet<Node extends TestnetNode> extends AsyncDisposable {
  /** The nodes that live. */
  readonly nodes: readonly Node[]
  /** Ends a share of the nodes, from 0 to 1, chosen by chance (the same seed chooses the same ones). Returns how many. */
  kill(fraction: number, options?: { readonly seed?: number }): Promise<number>
  /** Adds nodes. */
  grow(count: number): Promise<void>
}

/** What a testnet may be given. */
export interface TestnetOptions {
  /** Ends the attempt to start; what had started is disposed of. */
  readonly signal?: AbortSignal
}

/**
 * Starts `n` nodes on this machine. `create` makes one, given its number and the nodes that are up by then (none for the first, which is
 * up before the others start, so that it can be their bootstrap); it has to keep them on loopback. If one fails, all are disposed of.
 *
 * @example
 * await using net = await testnet(32, () => new MemoryBackend({ network }))
 * await net.kill(0.25)
 */
export async function testnet<Node extends TestnetNode>(
  n: number,
  create: (index: number, up: readonly Node[]) => Node | Promise<Node>,
  options: TestnetOptions = {},
): Promise<Testnet<Node>> {
  const net = new LoopbackNet(create, options)
  try {
    await net.grow(Math.min(n, 1))
    await net.grow(n - Math.min(n, 1))
    return net
  } catch (error) {
    await net[Symbol.asyncDispose]()
    throw error
  }
}

class LoopbackNet<Node extends TestnetNode> implements Testnet<Node> {
  readonly #create: (index: number, up: readonly Node[]) => Node | Promise<Node>
  readonly #options: TestnetOptions
  readonly #nodes: Node[] = []
  #made = 0

  constructor(create: (index: number, up: readonly Node[]) => Node | Promise<Node>, options: TestnetOptions) {
    this.#create = create
    this.#options = options
  }

  get nodes(): readonly Node[] {
    return this.#nodes
  }

  async grow(count: number): Promise<void> {
    if (!Number.isInteger(count) || count < 0 || this.#nodes.length + count > MAX_NODES) {
      throw new RangeError(`a testnet has from 0 to ${MAX_NODES} nodes`)
    }
    for (let left = count; left > 0; left -= AT_ONCE) {
      const started = await Promise.allSettled(Array.from({ length: Math.min(left, AT_ONCE) }, () => this.#start()))
      // In the order of their numbers, whichever was quicker, so that a seed chooses the same ones again.
      for (const result of started) if (result.status === 'fulfilled') this.#nodes.push(result.value)
      const failed = started.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  async #start(): Promise<Node> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    const node = await this.#create(this.#made++, [...this.#nodes])
    try {
      await node.initialize?.(signal === undefined ? {} : { signal })
      return node
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
  }

  async kill(fraction: number, { seed = 1 }: { readonly seed?: number } = {}): Promise<number> {
    if (!(fraction >= 0 && fraction <= 1)) throw new RangeError('a share is a number from 0 to 1')
    const random = seededRandom(seed)
    const victims: Node[] = []
    for (let left = Math.round(this.#nodes.length * fraction); left > 0; left -= 1) {
      victims.push(...this.#nodes.splice(Math.floor(random() * this.#nodes.length), 1))
    }
    await dispose(victims)
    return victims.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await dispose(this.#nodes.splice(0))
  }
}

/** A node that fails to end does not stop the others; the failures come together at the end. */
async function dispose(nodes: readonly TestnetNode[]): Promise<void> {
  const cleanup = new CleanupStack()
  for (let start = 0; start < nodes.length; start += AT_ONCE) {
    const batch = nodes.slice(start, start + AT_ONCE)
    cleanup.defer(async () => {
      const results = await Promise.allSettled(batch.map((node) => node[Symbol.asyncDispose]()))
      const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
      if (failures.length > 0) throw new AggregateError(failures, 'nodes failed to end')
    })
  }
  await cleanup[Symbol.asyncDispose]()
}
