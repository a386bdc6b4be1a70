import type { Visitor } from '../../backend.ts'
import type { Clock } from '../../clock.ts'
import { MultipathStream } from './multipath-stream.ts'
import type { Preamble } from './preamble.ts'
import { WindowBudget } from './window-budget.ts'

/** Streams at once: as many as a tunnel has visitors. */
const MAX_STREAMS = 4_096
/** Paths of one stream that were ever opened, those that died included: it bounds what one visitor can cost. */
const MAX_PATHS = 1_024
/** Paths of one stream at once: more networks than Beam has. */
const MAX_PATHS_AT_ONCE = 16
/**
 * A visitor who lost all paths gets this long to come back by another before the service's connection is reset: longer than he tries
 * (`ALONE_MS` of open.ts), because he may hear of the loss later than this end.
 */
const REJOIN_MS = 45_000
/** A path that was slow to open must not revive a stream that has ended meanwhile. */
const REMEMBER_MS = 120_000
const MAX_REMEMBERED = 16_384

interface Entry {
  readonly stream: MultipathStream
  /** What each network said of the visitor: the same must come again. */
  readonly keys: Map<string, string | undefined>
  opened: number
}

/** The multipath streams of a tunnel by their ids: who may join what. */
export class JoinedStreams {
  readonly #clock: Clock
  readonly #budget = new WindowBudget()
  readonly #entries = new Map<string, Entry>()
  /** Ids of streams that ended, with the time. */
  readonly #ended = new Map<string, number>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The stream that a path belongs to; a new one for a new id. The id is the right to join, known to the two ends only; a network that
   * authenticates visitors must name the same one again. A text says why not.
   */
  admit({ id, windowBytes }: Preamble, { backend, key }: Visitor): { readonly stream: MultipathStream; readonly isNew: boolean } | string {
    if (this.#closed) return 'the tunnel was stopped'
    const name = id.toString('hex')
    const entry = this.#entries.get(name)
    if (entry !== undefined) {
      if (entry.keys.has(backend) && entry.keys.get(backend) !== key) return 'another visitor'
      if (entry.opened >= MAX_PATHS || entry.stream.paths.length >= MAX_PATHS_AT_ONCE) return 'too many paths'
      entry.keys.set(backend, key)
      entry.opened += 1
      return { stream: entry.stream, isNew: false }
    }
    if (this.#hasEnded(name)) return 'the stream has ended'
    if (this.#entries.size >= MAX_STREAMS) return 'too many streams'
    return { stream: this.#create(name, windowBytes, backend, key), isNew: true }
  }

  close(): void {
    this.#closed = true
    for (const { stream } of this.#entries.values()) stream.destroy(new Error('the tunnel was stopped'))
  }

  #create(name: string, peerWindowBytes: number, backend: string, key: string | undefined): MultipathStream {
    const clock = this.#clock
    let cancelRejoin: (() => void) | undefined
    const stream: MultipathStream = new MultipathStream({
      clock,
      budget: this.#budget,
      peerWindowBytes,
      onAlone: () => {
        cancelRejoin?.()
        cancelRejoin = clock.after(
          REJOIN_MS,
          () => {
            if (stream.paths.length === 0) stream.destroy(new Error('the visitor did not come back'))
          },
          { unref: true },
        )
      },
    })
    stream.once('close', () => {
      cancelRejoin?.()
      this.#entries.delete(name)
      this.#remember(name)
    })
    this.#entries.set(name, { stream, keys: new Map([[backend, key]]), opened: 1 })
    return stream
  }

  #hasEnded(name: string): boolean {
    const at = this.#ended.get(name)
    return at !== undefined && this.#clock.monotonic() - at < REMEMBER_MS
  }

  #remember(name: string): void {
    const now = this.#clock.monotonic()
    this.#ended.set(name, now)
    for (const [other, at] of this.#ended) {
      if (this.#ended.size <= MAX_REMEMBERED && now - at < REMEMBER_MS) break
      this.#ended.delete(other)
    }
  }
}
