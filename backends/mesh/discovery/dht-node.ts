import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type HyperDHT from 'hyperdht'
import { silentLogger, systemClock, Upkeep, type Clock, type DiscoveryStatus, type Logger } from '../../../core/index.ts'
import { isLoopbackList } from './bootstrap-list.ts'
import type { DiscoveryOptions } from './options.ts'

/** A node that others start from. */
export interface FirstNode {
  /** Local address to listen on. */
  readonly host: string
  /** UDP; 0 = any free one. */
  readonly port: number
  /** The IPv4 address at which others see it: its id is made of it. */
  readonly address: string
}

/** What the DHT node needs. */
export interface DhtNodeOptions {
  readonly bootstrap: DiscoveryOptions['bootstrap']
  /** Further bootstrap nodes, looked up when the node is opened. A rejection means that it is tried again later. */
  readonly moreBootstrap?: () => Promise<readonly string[]>
  /** Where the node listens when others are to start from it: it stores and routes for them from the first moment, alone if need be. */
  readonly first?: FirstNode
  /** Whether the node stores records and routes for others once it turns out to be reachable from outside. Default: no. */
  readonly serve?: boolean
  readonly clock?: Clock
  readonly logger?: Logger
  /** A number in [0, 1) for waits; tests pass their own. */
  readonly random?: () => number
}

/** hyperdht as it is loaded: the class itself. */
type Hyperdht = typeof HyperDHT

/** How often it is checked that other nodes still answer. hyperdht itself pings some every 40 s; this only reads its table. */
const CHECK_MS = 30_000
/** How long a search waits for a network that was not there last time: joining again takes some hundred milliseconds when it is back. */
const RETRY_WAIT_MS = 1_000
/** Nodes that have answered when the network counts as joined: enough to ask. hyperdht itself goes on behind, and waits for the dead ones. */
const ENOUGH_NODES = 8
/** Waits between attempts to join: bootstrap nodes are asked again at least once a minute. */
const BACKOFF = { baseMs: 2_000, maxMs: 60_000 }
/**
 * First waits for an answer of a node never asked before, in milliseconds. hyperdht's own is a second each time, so that one dead node
 * holds up a query for four. A query tries six times, the last with the last wait: 4.75 s until nobody is known to answer.
 */
const FIRST_TIMEOUTS = [250, 400, 600, 900, 1300]
/** The least wait for a node that has answered before, in milliseconds, however quick it was: it may be busy for a moment. It is asked again. */
const LEAST_TIMEOUT_MS = 150

/**
 * The one DHT node of a Beam process, shared by all tunnels. Opened at first use, and joined in the background: with an unreachable
 * network everything else goes on, and the node keeps trying.
 */
export class DhtNode {
  readonly #options: DhtNodeOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #upkeep: Upkeep
  readonly #listeners = new Set<() => void>()
  readonly #waiting = new Set<() => void>()
  #library: Hyperdht | undefined
  #dht: HyperDHT | undefined
  #state: DiscoveryStatus['state']
  #problem: string | undefined
  #closing: Promise<void> | undefined
  /** The bootstrap nodes, once they are all known. */
  #bootstrap: DiscoveryOptions['bootstrap']

  constructor(options: DhtNodeOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#bootstrap = options.bootstrap
    this.#state = options.bootstrap === 'none' && options.first === undefined ? 'off' : 'idle'
    this.#upkeep = new Upkeep({
      clock: this.#clock,
      backoff: { ...BACKOFF, ...(options.random === undefined ? {} : { random: options.random }) },
      everyMs: CHECK_MS,
      work: () => this.#join(),
      onFailure: (error) => this.#setState('unreachable', problemOf(error)),
    })
  }

  /** The hyperdht module. Only to be asked for once the node is ready. */
  get library(): Hyperdht {
    if (this.#library === undefined) throw new TypeError('the DHT node is not open')
    return this.#library
  }

  /** Whether the bootstrap nodes are all on this machine: then no local address is told to anybody. */
  get isLoopback(): boolean {
    return isLoopbackList(this.#bootstrap)
  }

  /** The UDP port at which others ask this node; undefined while it is not open. */
  get port(): number | undefined {
    return this.#dht?.address()?.port
  }

  status(): DiscoveryStatus {
    if (this.#state === 'off') return { state: 'off', detail: 'no bootstrap nodes are configured' }
    return {
      state: this.#state,
      ...(this.#state === 'ready' && this.#dht !== undefined ? { peers: this.#dht.nodes.length } : {}),
      ...(this.#problem === undefined ? {} : { detail: this.#problem }),
    }
  }

  /**
   * The joined node; undefined when it is switched off, closed, or nobody answers (known after about 5 s, later after one), or
   * when the signal fires.
   * Never rejects.
   */
  async ready(signal: AbortSignal): Promise<HyperDHT | undefined> {
    if (this.#state === 'off' || this.#closing !== undefined || signal.aborted) return undefined
    if (this.#state === 'ready') return this.#dht
    // Somebody needs it now: the wait of a backoff is cut short. When nobody answered last time, the outcome is not waited for in full.
    const wasUnreachable = this.#state === 'unreachable'
    this.#start()
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        this.#waiting.delete(done)
        cancel?.()
        resolve()
      }
      const cancel = wasUnreachable ? this.#clock.after(RETRY_WAIT_MS, done) : undefined
      signal.addEventListener('abort', done, { once: true })
      this.#waiting.add(done)
    })
    return (this.#state as DiscoveryStatus['state']) === 'ready' ? this.#dht : undefined
  }

  /** Opens and joins, if that has not happened yet. */
  #start(): void {
    if (this.#state === 'idle') this.#setState('starting', undefined)
    this.#upkeep.wake()
  }

  /**
   * Calls back whenever what was announced should be announced again: the network was joined, came back or changed, or the machine woke up.
   * The returned function ends it.
   */
  onOnline(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends the node: no socket and no timer is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const stopped = this.#upkeep.stop()
    // With `force` hyperdht does not say goodbye for each server: whoever announced has withdrawn before.
    await this.#destroy()
    await stopped
    await this.#destroy()
    if (this.#state !== 'off') this.#setState('idle', undefined)
    for (const done of [...this.#waiting]) done()
    this.#listeners.clear()
  }

  async #destroy(): Promise<void> {
    const dht = this.#dht
    this.#dht = undefined
    // It rejects when the sockets could never be opened; then there is nothing to close either.
    await dht
      ?.destroy({ force: true })
      .catch((error: unknown) => this.#logger.debug('closing the DHT node failed', { error: String(error) }))
  }

  async #join(): Promise<void> {
    const again = this.#dht !== undefined
    const dht = this.#dht ?? (await this.#open())
    if (dht === undefined) return
    const known = this.#state === 'ready' && ((dht.online && dht.nodes.length > 0) || this.#isAlone)
    if (known) return
    try {
      // Resolves also when nobody answered. That happens once in a node's life; later the bootstrap nodes are asked by a query.
      await joined(dht)
      if (again) await dht.findNode(dht.table.id).finished()
    } catch (error) {
      // The sockets could not be opened (no file descriptors, no permission): this instance is of no use any more.
      await this.#destroy()
      throw error
    }
    if (this.#closing !== undefined) return
    if (dht.nodes.length === 0 && !this.#isAlone) throw new Error('no bootstrap node answers')
    this.#setState('ready', undefined)
    this.#announceOnline()
  }

  async #open(): Promise<HyperDHT | undefined> {
    this.#library ??= (await import('hyperdht')).default
    if (this.#closing !== undefined) return undefined
    const { serve = false, first } = this.#options
    this.#bootstrap = await this.#allBootstrap()
    if (this.#closing !== undefined) return undefined
    const bootstrap = this.#bootstrap
    const nodes = bootstrap === 'public' ? this.#library.BOOTSTRAP : bootstrap === 'none' ? [] : bootstrap
    const options = {
      // Always given: without it the library takes its public list.
      bootstrap: nodes,
      host: first?.host ?? (this.isLoopback ? '127.0.0.1' : '0.0.0.0'),
      adaptiveTimeout: { fallback: FIRST_TIMEOUTS, min: LEAST_TIMEOUT_MS, max: 2_000, jitter: 50 },
    }
    const port = first === undefined || first.port !== 0 ? (first?.port ?? 0) : await freePort(first.host)
    const dht =
      // In the public DHT a node has to be found reachable first; in a DHT of one's own somebody has to begin.
      first !== undefined && bootstrap !== 'public'
        ? this.#library.bootstrapper(port, first.address, { ...options, port: [port, port + 1] })
        : // Any free port: the library's own fixed one would tell every network what runs here.
          new this.#library({ ...options, port: port === 0 ? [0, 0] : [port, port + 1], ...(serve ? {} : { ephemeral: true }) })
    dht.on('network-change', () => this.#networkChanged('network changed'))
    dht.on('wakeup', () => this.#networkChanged('machine woke up'))
    this.#dht = dht
    return dht
  }

  /** The configured bootstrap nodes and those that are looked up. */
  async #allBootstrap(): Promise<DiscoveryOptions['bootstrap']> {
    const { bootstrap, moreBootstrap } = this.#options
    if (moreBootstrap === undefined || bootstrap === 'none') return bootstrap
    const given = bootstrap === 'public' ? [] : bootstrap
    try {
      const more = await moreBootstrap()
      if (given.length + more.length === 0) throw new Error('the DNS lists no bootstrap node')
      return [...new Set([...given, ...more])]
    } catch (error) {
      if (given.length === 0) throw error
      this.#logger.debug('bootstrap nodes could not be looked up', { error: String(error) })
      return given
    }
  }

  /** Whether this node is the first of its network, and waits for others. */
  get #isAlone(): boolean {
    const bootstrap = this.#bootstrap
    return this.#options.first !== undefined && (bootstrap === 'none' || bootstrap.length === 0)
  }

  #networkChanged(what: string): void {
    this.#logger.debug('the DHT node joins again', { because: what })
    if (this.#state === 'ready') this.#announceOnline()
    else this.#upkeep.wake()
  }

  #announceOnline(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #setState(state: DiscoveryStatus['state'], problem: string | undefined): void {
    this.#state = state
    this.#problem = problem
    if (state !== 'starting') for (const done of [...this.#waiting]) done()
  }
}

/** A UDP port that nobody has now: a node that is to be known by its port has to know it beforehand. */
async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}

/** Resolves when enough nodes have answered, or all that there are. Rejects when the sockets cannot be opened. */
async function joined(dht: HyperDHT): Promise<void> {
  let count = (): void => {}
  const enough = new Promise<void>((resolve) => {
    count = () => void (dht.nodes.length >= ENOUGH_NODES && resolve())
    dht.on('add-node', count)
  })
  try {
    await dht.bind()
    // hyperdht asks two nodes at a time when it joins, so that two dead ones hold it up; this asks ten.
    void dht
      .findNode(dht.table.id)
      .finished()
      .catch(() => {})
    await Promise.race([enough, dht.fullyBootstrapped()])
  } finally {
    dht.off('add-node', count)
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
