import type { Acknowledgement } from './frame.ts'
import type { RangePath } from './range-path.ts'
import { SendBuffer, type Segment } from './send-buffer.ts'

/** Segments overtaken by so many later ones may be lost (RFC 5681 section 3.2 has the same number). */
const OVERTAKEN = 3
/** How old a segment of another path must be before an idle one carries it as well. */
const HELP_AFTER_MS = 50
/** Copies of one segment on different paths at the same time. */
const MAX_COPIES = 2

/**
 * The sending direction of a stream: which bytes go on which path, and when they go again. What is late on a path goes to the others; on a
 * path without promises it is repeated there.
 */
export class RangeSender {
  readonly buffer = new SendBuffer()
  readonly #paths = new Set<RangePath>()
  /** The far end takes bytes below. */
  #peerLimit: number
  /** Segments that are on no path. */
  #homeless = 0
  #resentBytes = 0

  constructor(peerWindowBytes: number) {
    this.#peerLimit = peerWindowBytes
  }

  /** Bytes that were sent more than once. */
  get resentBytes(): number {
    return this.#resentBytes
  }

  /** Whether something is on its way or could be. */
  get busy(): boolean {
    return this.buffer.segments.length > 0 || this.buffer.hasNew
  }

  /** Whether only the far end's window keeps bytes back, and nothing is on its way that would bring news of it. */
  get shut(): boolean {
    return this.buffer.queuedBytes > 0 && this.buffer.next >= this.#peerLimit && this.buffer.segments.length === 0
  }

  addPath(path: RangePath): void {
    this.#paths.add(path)
  }

  removePath(path: RangePath): void {
    this.#paths.delete(path)
    this.#takeOff(path)
  }

  /** Takes what the far end said on a path. `nonsense`: it cannot be; `progress`: something arrived that was on its way. */
  acknowledged(path: RangePath, ack: Acknowledgement, nowMs: number): 'nonsense' | 'progress' | 'nothing' {
    const done = this.buffer.acknowledge(ack)
    if (done === undefined) return 'nonsense'
    this.#peerLimit = Math.max(this.#peerLimit, ack.upTo + ack.window)
    if (done.length === 0) return 'nothing'
    for (const segment of done) {
      if (segment.placements.length === 0) this.#homeless -= 1
      // Of several copies the one on the path that tells of it is credited: it is the likeliest to have arrived.
      const credited = segment.placements.find((placement) => placement.path === path) ?? segment.placements[0]
      for (const placement of segment.placements) {
        if (placement === credited) placement.path.delivered(segment.data.length, placement, nowMs)
        else placement.path.gone(segment.data.length)
      }
    }
    if (!path.options.reliable) this.#repair(path, nowMs)
    return 'progress'
  }

  /** Everything that was sent has arrived, the end included. Whether that can be. */
  finish(): boolean {
    const done = this.buffer.hasNew ? undefined : this.buffer.acknowledge({ upTo: this.buffer.next + 1, window: 0, ranges: [] })
    for (const { placements, data } of done ?? []) for (const { path } of placements) path.gone(data.length)
    if (done !== undefined) this.#homeless = 0
    return done !== undefined
  }

  /** The next segment for a path, which counts as sent there then. `resent`: it was sent before. */
  next(path: RangePath, nowMs: number): { readonly segment: Segment; readonly resent: boolean } | undefined {
    const segment = path.silent ? undefined : this.#segmentFor(path, nowMs)
    if (segment === undefined) return undefined
    if (segment.placements.length === 0) this.#homeless -= 1
    segment.placements.push({ path, sentAtMs: nowMs, deliveredBefore: path.deliveredBytes })
    segment.sends += 1
    segment.overtaken = 0
    path.inFlightBytes += segment.data.length
    const resent = segment.sends > 1
    if (resent) this.#resentBytes += segment.data.length
    return { segment, resent }
  }

  /** Looks for what is late; returns the paths that count as silent from now on. */
  tick(nowMs: number): RangePath[] {
    const silenced: RangePath[] = []
    for (const path of this.#paths) {
      if (!path.options.reliable) this.#repair(path, nowMs)
      else if (!path.silent && this.#isLate(path, nowMs) && this.#hasOther(path)) {
        path.silent = true
        this.#takeOff(path)
        silenced.push(path)
      }
    }
    return silenced
  }

  #segmentFor(path: RangePath, nowMs: number): Segment | undefined {
    const { buffer } = this
    const hasRoom = path.roomBytes > 0
    if (this.#homeless > 0 && hasRoom) {
      const found = buffer.segments.find(({ placements }) => placements.length === 0)
      if (found !== undefined) return this.#fit(found, path)
    }
    const allowed = this.#peerLimit - buffer.next
    const endOnly = buffer.queuedBytes === 0
    if (buffer.hasNew && (allowed > 0 || endOnly)) {
      if (!hasRoom || !this.#isFor(path)) return undefined
      this.#homeless += 1
      return buffer.cut(Math.min(path.segmentBytes, Math.max(0, allowed)))
    }
    return this.#helpFor(path, nowMs)
  }

  #fit(segment: Segment, path: RangePath): Segment {
    const head = this.buffer.split(segment, path.options.maxSegmentBytes)
    if (head !== segment) this.#homeless += 1
    return head
  }

  /** A path that has nothing else to do carries what takes long elsewhere as well. */
  #helpFor(path: RangePath, nowMs: number): Segment | undefined {
    if (!path.options.reliable || path.inFlightBytes > 0 || this.#paths.size < 2) return undefined
    const [oldest] = this.buffer.segments
    const [placement] = oldest?.placements ?? []
    if (oldest === undefined || placement === undefined || placement.path === path) return undefined
    if (oldest.placements.length >= MAX_COPIES || oldest.data.length > path.options.maxSegmentBytes) return undefined
    const patienceMs = Math.max(HELP_AFTER_MS, 2 * (path.srttMs ?? path.options.initialTimeoutMs))
    return nowMs - placement.sentAtMs > patienceMs ? oldest : undefined
  }

  /**
   * Whether something new is for this path. It is left to a better one that takes it: segments differ in length, so that of two paths each
   * may hold the other to be better for a segment of its own, and nothing would ever be sent.
   */
  #isFor(path: RangePath): boolean {
    const best = this.#bestPath(path.segmentBytes)
    return best === undefined || best === path || this.#bestPath(best.segmentBytes) !== best
  }

  /** The path on which something new would arrive first, whether it has room or not: a slower one that has room must not delay the stream. */
  #bestPath(bytes: number): RangePath | undefined {
    let best: RangePath | undefined
    let bestMs = Infinity
    for (const path of this.#paths) {
      if (path.silent) continue
      const ms = path.arrivalMs(bytes)
      if (ms >= bestMs) continue
      best = path
      bestMs = ms
    }
    return best
  }

  #hasOther(path: RangePath): boolean {
    for (const other of this.#paths) if (other !== path && !other.silent) return true
    return false
  }

  #isLate(path: RangePath, nowMs: number): boolean {
    // A path whose queue grows is slow, not silent: it makes progress once in a round trip.
    if (nowMs - path.progressAtMs < path.timeoutMs / 3) return false
    return this.buffer.segments.some(({ placements }) =>
      placements.some((one) => one.path === path && nowMs - one.sentAtMs >= path.timeoutMs),
    )
  }

  /** Takes everything off a path; what is nowhere else is sent again. */
  #takeOff(path: RangePath): void {
    for (const segment of this.buffer.segments) this.#remove(segment, path)
  }

  #remove(segment: Segment, path: RangePath): void {
    const index = segment.placements.findIndex((placement) => placement.path === path)
    if (index < 0) return
    segment.placements.splice(index, 1)
    path.gone(segment.data.length)
    if (segment.placements.length === 0) this.#homeless += 1
  }

  /** Finds what was lost on a path without promises. */
  #repair(path: RangePath, nowMs: number): void {
    for (const segment of this.buffer.segments) {
      const placement = segment.placements.find((one) => one.path === path)
      if (placement === undefined) continue
      const ageMs = nowMs - placement.sentAtMs
      const overtaken = segment.overtaken >= OVERTAKEN && ageMs > path.overtakenMs
      if (!overtaken && ageMs < path.timeoutAfter(segment.sends)) continue
      this.#remove(segment, path)
      path.lost(nowMs)
    }
  }
}
