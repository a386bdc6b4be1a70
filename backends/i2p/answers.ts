import type { Clock } from '../../core/index.ts'
import { MAX_WATCHED, SILENT_MS, TRIAL_MS } from './constants.ts'

/** What one stream tells of its destination. */
export interface StreamWatch {
  /** Something was sent, and nothing has come yet. */
  sent(): void
  /** Something came, if only the end. */
  answered(): void
  ended(): void
}

/** `trial`: it was silent, and it is time to see whether it still is. */
export type Standing = 'fine' | 'silent' | 'trial'

interface Destination {
  /** When something was first sent on each stream that has not been answered. */
  readonly waiting: Map<StreamWatch, number>
  answeredAt: number
  /** When a stream was given up that had waited for long. */
  lostAt: number
  triedAt: number
}

/**
 * Whether destinations still answer. A router takes a stream for a publisher who has left and says nothing; that nothing comes back on it is
 * the only sign. Who has other ways to the service is told before the next stream goes the same way.
 */
export class Answers {
  readonly #clock: Clock
  readonly #destinations = new Map<string, Destination>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** To be told of a stream to that destination. */
  watch(host: string): StreamWatch {
    const destination = this.#of(host)
    const { waiting } = destination
    const watch: StreamWatch = {
      sent: () => void (waiting.has(watch) || waiting.set(watch, this.#clock.monotonic())),
      answered: () => {
        waiting.delete(watch)
        destination.answeredAt = this.#clock.monotonic()
      },
      ended: () => {
        if (this.#waitsInVain(destination, waiting.get(watch))) destination.lostAt = this.#clock.monotonic()
        waiting.delete(watch)
      },
    }
    return watch
  }

  /** How it stands with a destination. Every so often a silent one is to be tried again; who is told so is the one who tries. */
  standing(host: string): Standing {
    const destination = this.#destinations.get(host)
    if (destination === undefined) return 'fine'
    const { waiting, answeredAt, lostAt } = destination
    const now = this.#clock.monotonic()
    const lost = lostAt > answeredAt
    if (!lost && ![...waiting.values()].some((sentAt) => this.#waitsInVain(destination, sentAt))) return 'fine'
    if (destination.triedAt <= answeredAt) destination.triedAt = now
    if (now - destination.triedAt < TRIAL_MS) return 'silent'
    destination.triedAt = now
    destination.lostAt = -Infinity
    waiting.clear()
    return 'trial'
  }

  #waitsInVain({ answeredAt }: Destination, sentAt: number | undefined): boolean {
    return sentAt !== undefined && sentAt >= answeredAt && this.#clock.monotonic() - sentAt >= SILENT_MS
  }

  #of(host: string): Destination {
    const known = this.#destinations.get(host)
    if (known !== undefined) return known
    const [oldest] = this.#destinations.keys()
    if (oldest !== undefined && this.#destinations.size >= MAX_WATCHED) this.#destinations.delete(oldest)
    const destination: Destination = { waiting: new Map(), answeredAt: -Infinity, lostAt: -Infinity, triedAt: -Infinity }
    this.#destinations.set(host, destination)
    return destination
  }
}
