import type HyperDHT from 'hyperdht'
import {
  nameTopic,
  systemClock,
  Upkeep,
  type Announced,
  type Announcement,
  type AnnouncementState,
  type Clock,
} from '../../../core/index.ts'
import type { DhtNode } from './dht-node.ts'
import { TOMBSTONE } from './dht-record.ts'
import { storeEarly, type Storing } from './dht-store.ts'
import { PunchedStream } from './dht-stream.ts'
import { StreamGate } from './stream-gate.ts'

/** Name claims age out after 20 minutes in hyperdht; half of it, less the jitter, survives one failed round. */
const EVERY_MS = 9.5 * 60_000
const BACKOFF = { baseMs: 1_000, maxMs: 60_000 }
/** Withdrawing is a courtesy: records carry a time to live anyway, and Ctrl-C must not hang on dead nodes. */
const WITHDRAW_MS = 1_000
/**
 * Hole-punched streams of one tunnel. One visitor has one or two; each attempt holds a UDP socket until it is open or, as hyperdht has it,
 * for 10 s, and file descriptors are the first thing to run out.
 */
const STREAM_LIMITS = { maxOpen: 128, maxPending: 64, pendingMs: 10_000 }

/** What an announcement in the DHT needs besides itself. */
export interface DhtAnnouncementOptions {
  readonly clock?: Clock
  readonly random?: (() => number) | undefined
  readonly onState?: ((state: AnnouncementState, reason: string) => void) | undefined
  readonly onStopped?: () => void
}

/** One service in the DHT: its record under its key, its name, and the server that takes hole-punched streams. */
export class DhtAnnouncement implements Announced {
  readonly #node: DhtNode
  readonly #announcement: Announcement
  readonly #options: DhtAnnouncementOptions
  readonly #clock: Clock
  readonly #upkeep: Upkeep
  readonly #forget: () => void
  readonly #gate: StreamGate
  #record: Uint8Array
  #sequence: number
  #state: AnnouncementState = 'pending'
  #server: { readonly dht: HyperDHT; readonly server: HyperDHT.Server; readonly listening: Promise<unknown> } | undefined
  /** Whether anything may be stored by now, so that it has to be withdrawn. */
  #published = false
  #stopping: Promise<void> | undefined

  constructor(node: DhtNode, announcement: Announcement, options: DhtAnnouncementOptions = {}) {
    this.#node = node
    this.#announcement = announcement
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#gate = new StreamGate(STREAM_LIMITS, this.#clock)
    this.#record = announcement.record
    this.#sequence = announcement.sequence
    this.#upkeep = new Upkeep({
      clock: this.#clock,
      backoff: { ...BACKOFF, ...(options.random === undefined ? {} : { random: options.random }) },
      everyMs: EVERY_MS,
      work: (signal) => this.#publish(signal),
      onFailure: (error) => this.#setState('failed', error instanceof Error ? error.message : String(error)),
    })
    this.#forget = node.onOnline(() => {
      this.#server?.server.refresh()
      this.#upkeep.wake()
    })
    if (node.status().state === 'off') queueMicrotask(() => this.#setState('failed', node.status().detail ?? 'the DHT is switched off'))
    else this.#upkeep.wake()
  }

  get state(): AnnouncementState {
    return this.#state
  }

  update(record: Uint8Array, sequence: number): void {
    if (sequence <= this.#sequence) return
    this.#record = record
    this.#sequence = sequence
    this.#upkeep.wake()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#forget()
    // What could not be withdrawn ages out.
    const withdrawn = this.#withdraw().catch(() => {})
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(WITHDRAW_MS, resolve)
      void withdrawn.then(() => {
        cancel()
        resolve()
      })
    })
    this.#options.onStopped?.()
  }

  async #publish(signal: AbortSignal): Promise<void> {
    // The node keeps trying by itself and calls back; many tunnels must not make it try more often.
    const { state, detail } = this.#node.status()
    const dht = state === 'unreachable' ? undefined : await this.#node.ready(signal)
    if (signal.aborted) return
    if (dht === undefined) throw new Error(detail ?? this.#node.status().detail ?? 'the DHT cannot be reached')
    const { onStream } = this.#announcement
    const topic = this.#topic()
    this.#published = true
    const keyPair = this.#node.library.keyPair(this.#announcement.seed)
    const name = topic === undefined ? undefined : storeEarly(dht, (walker) => walker.announce(topic, keyPair, []).finished())
    const record = this.#store(dht, keyPair)
    // hyperdht's server waits for its own walk to end, which dead nodes hold up: whoever can be dialled is found before that.
    const listening = onStream === undefined ? undefined : this.#listen(dht, keyPair, onStream)
    listening?.catch(() => {})
    await Promise.all([record.held, name?.held])
    if (signal.aborted) return
    this.#setState('announced', 'the DHT holds it')
    // The slow nodes, behind: whether one of them holds something newer shows at the end.
    await untilAborted(Promise.all([record.settled, name?.settled, listening]), signal)
  }

  /** Where the name is announced. Throws when it is no name: to be asked before anything is started. */
  #topic(): Uint8Array | undefined {
    const { domain } = this.#announcement
    return domain === undefined ? undefined : nameTopic(domain)
  }

  /** Stores the record and reads it back, when the first nodes have it and again at the end: some ignore an old sequence number without a word. */
  #store(dht: HyperDHT, keyPair: HyperDHT.KeyPair): Storing {
    const record = Buffer.from(this.#record)
    const sequence = this.#sequence
    const storing = storeEarly(dht, (walker) => walker.mutablePut(keyPair, record, { seq: sequence }))
    const check = async (latest: boolean): Promise<void> => {
      const stored = await dht.mutableGet(keyPair.publicKey, { seq: sequence, latest })
      if (stored === null) throw new Error('the DHT did not keep the record')
      // A newer one of ours may have been stored meanwhile by `update`.
      if (stored.seq <= Math.max(sequence, this.#sequence) && (stored.seq !== sequence || record.equals(stored.value))) return
      this.#announcement.onSuperseded?.(stored.seq)
      throw new Error(`the DHT holds another record of this key with sequence number ${stored.seq}; this one has ${sequence}`)
    }
    const held = storing.held.then(() => check(false))
    const settled = Promise.all([held, storing.settled]).then(() => check(true))
    settled.catch(() => {})
    return { held, settled }
  }

  async #listen(dht: HyperDHT, keyPair: HyperDHT.KeyPair, onStream: NonNullable<Announcement['onStream']>): Promise<void> {
    if (this.#server?.dht !== dht) {
      const server = dht.createServer({ firewall: () => !this.#gate.admit(), shareLocalAddress: !this.#node.isLoopback })
      server.on('connection', (socket) => {
        this.#gate.opened()
        socket.on('close', () => this.#gate.closed())
        onStream(new PunchedStream(socket))
      })
      this.#server = { dht, server, listening: server.listen(keyPair) }
    }
    try {
      await this.#server.listening
    } catch (error) {
      this.#server = undefined
      throw error
    }
  }

  /** May take longer than anybody waits for it. */
  async #withdraw(): Promise<void> {
    const status = this.#node.status()
    // `close` first takes back what hyperdht itself announces; without it a background loop of the server would go on.
    const closed = this.#server?.server.close()
    await this.#upkeep.stop()
    const dht = this.#published && status.state === 'ready' ? await this.#node.ready(AbortSignal.timeout(WITHDRAW_MS)) : undefined
    if (dht === undefined) {
      await closed?.catch(() => {})
      return
    }
    const { seed, withdrawal } = this.#announcement
    const topic = this.#topic()
    const keyPair = this.#node.library.keyPair(seed)
    const { record, sequence } = withdrawal?.(this.#sequence) ?? { record: TOMBSTONE, sequence: this.#sequence + 1 }
    await Promise.allSettled([
      dht.mutablePut(keyPair, Buffer.from(record), { seq: sequence }),
      ...(topic === undefined ? [] : [dht.unannounce(topic, keyPair)]),
      ...(closed === undefined ? [] : [closed]),
    ])
  }

  #setState(state: AnnouncementState, reason: string): void {
    if (this.#state === state || this.#stopping !== undefined) return
    this.#state = state
    this.#options.onState?.(state, reason)
  }
}

/** The same promise, or nothing when the signal fires first: what goes on behind has to be waited for by nobody then. */
async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  let stop = (): void => {}
  const aborted = new Promise<void>((resolve) => (stop = resolve))
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    promise.catch(() => {})
  }
}
