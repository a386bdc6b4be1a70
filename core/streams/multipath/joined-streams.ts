import type { Visitor } from '../../backend.ts'
import type { Clock } from '../../clock.ts'
import { MultipathStream } from './multipath-stream.ts'
import type { Preamble, Verdict } from './preamble.ts'
import { WindowBudget } from './window-budget.ts'

/** Streams at once: as many as a tunnel has visitors. */
const MAX_STREAMS = 4_096
/** How often paths of one stream may be opened: so many at once, and one more each second. It bounds what one visitor can cost. */
const PATHS = { atOnce: 64, perSecond: 1 } as const
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
  /** How many paths may be opened now, and since when. */
  left: number
  leftAtMs: number
}

/** What becomes of a path: it is one of a stream, or not, with what the visitor is told and why. */
export type Admission = { readonly stream: MultipathStream; readonly isNew: boolean } | { readonly refused: Verdict; readonly why: string }

/** The multipath streams of a tunnel by their ids: who may join what. */
export class JoinedStreams {
  readonly #clock: Clock
  readonly #budget = new WindowBudget()
  readonly #entries = new Map<string, Entry>()
  /** Ids of streams that ended: when, and whether both directions came to their end. */
  readonly #ended = new Map<string, { readonly atMs: number; readonly complete: boolean }>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The stream that a path belongs to; a new one for a new id. The id is the right to join, known to the two ends only; a network that
   * authenticates visitors must name the same one again.
   */
  admit({ id, windowBytes }: Preamble, { backend, key }: Visitor): Admission {
    if (this.#closed) return { refused: 'no', why: 'the tunnel was stopped' }
    const name = id.toString('hex')
    const entry = this.#entries.get(name)
    if (entry !== undefined) {
      if (entry.keys.has(backend) && entry.keys.get(backend) !== key) return { refused: 'not-here', why: 'another visitor' }
      if (entry.stream.paths.length >= MAX_PATHS_AT_ONCE || !this.#takeTurn(entry)) return { refused: 'not-here', why: 'too many paths' }
      entry.keys.set(backend, key)
      return { stream: entry.stream, isNew: false }
    }
    const ended = this.#ended.get(name)
    if (ended !== undefined && this.#clock.monotonic() - ended.atMs < REMEMBER_MS) {
      return { refused: ended.complete ? 'complete' : 'no', why: 'the stream has ended' }
    }
    if (this.#entries.size >= MAX_STREAMS) return { refused: 'no', why: 'too many streams' }
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
      this.#remember(name, stream.complete)
    })
    this.#entries.set(name, { stream, keys: new Map([[backend, key]]), left: PATHS.atOnce - 1, leftAtMs: clock.monotonic() })
    return stream
  }

  /** Counts a path of a stream. Whether it may be opened. */
  #takeTurn(entry: Entry): boolean {
    const now = this.#clock.monotonic()
    entry.left = Math.min(PATHS.atOnce, entry.left + ((now - entry.leftAtMs) / 1_000) * PATHS.perSecond)
    entry.leftAtMs = now
    if (entry.left < 1) return false
    entry.left -= 1
    return true
  }

  #remember(name: string, complete: boolean): void {
    const now = this.#clock.monotonic()
    this.#ended.set(name, { atMs: now, complete })
    for (const [other, { atMs }] of this.#ended) {
      if (this.#ended.size <= MAX_REMEMBERED && now - atMs < REMEMBER_MS) break
      this.#ended.delete(other)
    }
  }
}
