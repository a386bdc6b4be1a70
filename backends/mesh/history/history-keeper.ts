import type { Clock, Logger } from '../../../core/index.ts'
import type { MeshNetwork } from '../network/mesh-network.ts'
import type { HistoryStore } from './history-store.ts'
import type { Sample } from './sample.ts'

/** How often a sample is taken. */
const SAMPLE_MS = 60_000
/** The first one comes sooner, at most twice this after the start: peers are linked and measured by then. */
const FIRST_MS = 10_000
/** What is shorter is not worth a row. */
const LEAST_MS = 5_000
/** Samples between two times of forgetting what is old: an hour's. */
const PRUNE_EVERY = 60

/** What a keeper needs. */
export interface HistoryKeeperOptions {
  readonly network: MeshNetwork
  readonly store: HistoryStore
  readonly clock: Clock
  readonly logger: Logger
  /** Whether a source of discovery beyond this machine is ready. */
  readonly discoverable: () => boolean
}

/**
 * Notes once a minute, and when it ends, how the node is. A disk that is full or a file that cannot be written costs the history, nothing
 * else: it is said once, and tried again a minute later.
 */
export class HistoryKeeper implements AsyncDisposable {
  readonly #options: HistoryKeeperOptions
  readonly #stop: () => void
  #at: number
  #before = { streams: 0, bytes: 0, refused: 0 }
  #taken = 0
  #failing = false

  constructor(options: HistoryKeeperOptions) {
    this.#options = options
    this.#at = options.clock.monotonic()
    const { clock } = options
    const stops = [
      clock.after(FIRST_MS * (1 + Math.random()), () => void this.take(), { unref: true }),
      clock.every(SAMPLE_MS, () => void this.take()),
    ]
    const { store } = options
    store.beforeRead = () => this.#takeIfDue()
    this.#stop = () => {
      store.beforeRead = async () => {}
      stops.forEach((stop) => stop())
    }
  }

  /** Takes a sample now. */
  async take(): Promise<void> {
    const { store, logger } = this.#options
    try {
      await store.add(this.#sample(), { prune: this.#taken++ % PRUNE_EVERY === 0 })
      this.#failing = false
    } catch (error) {
      const said = { file: store.path, reason: (error as Error).message }
      if (!this.#failing) logger.warn('the history of the network cannot be kept', said)
      this.#failing = true
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    await this.#takeIfDue()
  }

  async #takeIfDue(): Promise<void> {
    if (this.#options.clock.monotonic() - this.#at >= LEAST_MS) await this.take()
  }

  #sample(): Sample {
    const { network, clock, discoverable } = this.#options
    const now = clock.monotonic()
    const upMs = now - this.#at
    this.#at = now
    const { streams = 0, bytes = 0, refused = 0 } = network.relayed ?? {}
    const before = this.#before
    this.#before = { streams, bytes, refused }
    const peers = network.peers.peers()
    const latencyMs = median(peers.flatMap((peer) => peer.latencyMs ?? []))
    return {
      at: clock.now(),
      upMs,
      peers: peers.length,
      inbound: peers.filter(({ direction }) => direction === 'in').length,
      ...(latencyMs === undefined ? {} : { latencyMs }),
      streams: streams - before.streams,
      bytes: bytes - before.bytes,
      refused: refused - before.refused,
      heard: network.heard().length,
      discoverable: discoverable(),
    }
  }
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
