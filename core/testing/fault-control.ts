import { seededRandom } from './random.ts'

/** What goes wrong. Absent = nothing of this kind. */
export interface Faults {
  /** Start of the sequence of chances; the same seed and the same calls give the same faults. Default: 1. Read once. */
  readonly seed?: number
  /** Chance, from 0 to 1, that a dial fails or a message is lost. */
  readonly drop?: number
  /** How much later a dial, a chunk of a stream or a message arrives, in milliseconds: always the same, or between two values. */
  readonly delayMs?: number | readonly [fromMs: number, toMs: number]
  /** What a direction of a stream carries, in bytes per second; short-lived queues of it are a few dozen chunks. */
  readonly bytesPerSecond?: number
  /** Nothing arrives any more, and nothing is said about it: dials hang, streams hold what they carry until it is mended. */
  readonly silent?: boolean
  /** A stream is reset after so many bytes, both directions together. */
  readonly resetAfterBytes?: number
  /** A direction of a stream ends, as if it were complete, after so many bytes. */
  readonly truncateAfterBytes?: number
  /** `initialize` fails. */
  readonly failInitialize?: boolean
  /** `startTunnel` fails. */
  readonly failStart?: boolean
  /** The network is gone: streams are reset, dials fail, endpoints and the status say so. */
  readonly down?: boolean
}

/** The switches of a faulty backend. */
export class FaultControl {
  readonly #random: () => number
  readonly #listeners = new Set<(faults: Faults) => void>()
  #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
    this.#random = seededRandom(faults.seed ?? 1)
  }

  /** What goes wrong now. */
  get current(): Faults {
    return this.#faults
  }

  /** Changes some faults and keeps the others; `undefined` mends one. */
  set(changes: { readonly [key in keyof Faults]: Faults[key] | undefined }): void {
    const merged = { ...this.#faults, ...changes }
    this.#faults = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined))
    for (const listener of this.#listeners) listener(this.#faults)
  }

  /** Mends everything. */
  clear(): void {
    this.#faults = {}
    for (const listener of this.#listeners) listener(this.#faults)
  }

  /** Hears of changes until the returned function is called. */
  onChange(listener: (faults: Faults) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Throws the dice: whether this dial or message is lost. */
  drops(): boolean {
    const { drop = 0 } = this.#faults
    return drop > 0 && this.#random() < drop
  }

  /** Throws the dice: the delay of this dial, chunk or message, in milliseconds. */
  delayMs(): number {
    const { delayMs = 0 } = this.#faults
    if (typeof delayMs === 'number') return delayMs
    const [fromMs, toMs] = delayMs
    return fromMs + this.#random() * (toMs - fromMs)
  }
}
