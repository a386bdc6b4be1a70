import { RESET_CODES, type Frame } from './frame.ts'
import type { RangePath } from './range-path.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import { SendBuffer, type Segment } from './send-buffer.ts'

/** Limits of one stream. The sizes are asked again and again: they may shrink when many streams share the memory. */
export interface RangeLimits {
  /** Bytes held for sending, unacknowledged ones included. */
  readonly sendBytes: () => number
  /** Bytes held for the reader and behind gaps. */
  readonly receiveBytes: () => number
  /** An acknowledgement waits for so many frames with data, or so many milliseconds. */
  readonly ackAfterFrames: number
  readonly ackDelayMs: number
  /** The stream is broken off when nothing is acknowledged for so long although something is on its way. */
  readonly stallMs: number
}

/** `open`, `done` (both directions ended and were acknowledged), `reset` (broken off by one end). */
export type RangeState = 'open' | 'done' | 'reset'

/** Acknowledgements owed on one path. */
interface Owed {
  frames: number
  /** When it is due at the latest. */
  atMs: number
  now: boolean
  /** Time stamp of the earliest frame that was not answered. */
  echo: number
  /** A silent path is asked whether it lives at this time. */
  probeAtMs: number
}

/** Segments overtaken by so many later ones may be lost (RFC 5681 section 3.2 has the same number). */
const OVERTAKEN = 3
/** Round trips above this are no measurement but a wrong echo. */
const MAX_RTT_MS = 600_000
/** How often late segments are looked for, as a share of the shortest time-out. */
const TICKS_PER_TIMEOUT = 6
/** How old a segment of another path must be before an idle one carries it as well. */
const HELP_AFTER_MS = 50
/** Copies of one segment on different paths at the same time. */
const MAX_COPIES = 2

/**
 * One byte stream in both directions, as ranges of bytes that are acknowledged and repeated: over several paths that may die or fall silent,
 * or over a network of messages that may be lost, doubled and re-ordered. Pure and deterministic: who owns it hands in frames and the
 * time, asks for frames to send and wakes it. Not one byte is lost or doubled: the stream is complete or it is reset.
 */
export class RangeStream {
  readonly id: number
  readonly #limits: RangeLimits
  readonly #send = new SendBuffer()
  readonly #receive: ReceiveBuffer
  readonly #paths = new Map<RangePath, Owed>()
  /** The far end takes bytes below. */
  #peerLimit = 0
  #state: RangeState = 'open'
  #resetCode: number | undefined
  /** Paths on which a reset is still to be said. */
  readonly #resetDue = new Set<RangePath>()
  /** Segments that are on no path. */
  #homeless = 0
  #windowDue = false
  #progressAtMs: number | undefined
  #probeAtMs = Infinity
  #resentBytes = 0

  /** `peerWindowBytes`: what the far end takes before its first word. */
  constructor(setup: { readonly id: number; readonly limits: RangeLimits; readonly peerWindowBytes: number }) {
    this.id = setup.id
    this.#limits = setup.limits
    this.#receive = new ReceiveBuffer(setup.limits.receiveBytes)
    this.#peerLimit = setup.peerWindowBytes
  }

  get state(): RangeState {
    return this.#state
  }

  /** Why it was reset, as a number of `RESET_CODES`. */
  get resetCode(): number | undefined {
    return this.#resetCode
  }

  /** Bytes that may still be written before something is acknowledged. */
  get room(): number {
    return this.#limits.sendBytes() - this.#send.heldBytes
  }

  /** Whether all that was written and the end have arrived. */
  get sent(): boolean {
    return this.#send.complete
  }

  /** Whether the far end ended and everything was read. */
  get drained(): boolean {
    return this.#receive.drained
  }

  /** Bytes held, both directions. */
  get heldBytes(): number {
    return this.#send.heldBytes + this.#receive.heldBytes
  }

  /** Bytes that were sent more than once. */
  get resentBytes(): number {
    return this.#resentBytes
  }

  /** Appends bytes, which must not be changed afterwards. */
  write(data: Uint8Array): void {
    this.#send.write(data)
  }

  /** Ends this end's direction. */
  end(): void {
    this.#send.end()
  }

  /** The next bytes from the far end. */
  read(): Uint8Array | undefined {
    const chunk = this.#receive.read()
    if (chunk !== undefined && this.#receive.windowOpened) this.#windowDue = true
    return chunk
  }

  /** Breaks the stream off. The far end is told on every path. */
  reset(code: number): void {
    if (this.#state === 'reset') return
    this.#state = 'reset'
    this.#resetCode = code
    for (const path of this.#paths.keys()) this.#resetDue.add(path)
  }

  /** Repeats on every path what has arrived: to be called before the paths are left. */
  acknowledgeEverywhere(): void {
    for (const owed of this.#paths.values()) owed.now = true
  }

  addPath(path: RangePath): void {
    this.#paths.set(path, { frames: 0, atMs: Infinity, now: false, echo: 0, probeAtMs: Infinity })
    if (this.#state === 'reset') this.#resetDue.add(path)
  }

  /** A path is gone: what was on its way there goes to the others, now. */
  removePath(path: RangePath): void {
    if (!this.#paths.delete(path)) return
    this.#resetDue.delete(path)
    this.#takeOff(path)
    // An acknowledgement may have been lost with it.
    this.acknowledgeEverywhere()
  }

  /** Takes a frame that arrived on a path. */
  receive(path: RangePath, frame: Frame, nowMs: number): void {
    const owed = this.#paths.get(path)
    if (owed === undefined) return
    path.heard()
    owed.probeAtMs = Infinity
    if (frame.type === 'reset') {
      if (this.#state !== 'open') return
      this.#state = 'reset'
      this.#resetCode = frame.offset
      return
    }
    if (this.#state === 'reset') {
      this.#resetDue.add(path)
      return
    }
    if (frame.echo !== 0) {
      const rttMs = (stamp(nowMs) - frame.echo) >>> 0
      if (rttMs < MAX_RTT_MS) path.sample(rttMs, nowMs)
    }
    if (frame.ack !== undefined && !this.#acknowledged(path, frame.ack, nowMs)) return this.reset(RESET_CODES.protocol)
    if (frame.type === 'data') this.#takeData(owed, path, frame, nowMs)
    else if (frame.answer) this.#owe(owed, frame, nowMs, true)
    if (this.#state === 'open' && this.#send.complete && this.#receive.complete) this.#state = 'done'
  }

  /** The next frame for a path that has room for one; undefined when there is none for it now. */
  next(path: RangePath, nowMs: number): Frame | undefined {
    const owed = this.#paths.get(path)
    if (owed === undefined) return undefined
    if (this.#state === 'reset') {
      return this.#resetDue.delete(path) ? this.#frame('reset', owed, nowMs, { offset: this.#resetCode ?? 0 }) : undefined
    }
    const segment = path.silent ? undefined : this.#segmentFor(path, nowMs)
    if (segment !== undefined) return this.#place(segment, path, owed, nowMs)
    if (owed.probeAtMs <= nowMs) {
      owed.probeAtMs = nowMs + path.nextProbeMs()
      return this.#frame('ack', owed, nowMs, { answer: true })
    }
    if (this.#probeAtMs <= nowMs && !path.silent) {
      this.#probeAtMs = nowMs + path.nextProbeMs()
      return this.#frame('ack', owed, nowMs, { answer: true })
    }
    if (owed.now || owed.atMs <= nowMs || (this.#windowDue && !path.silent)) return this.#frame('ack', owed, nowMs, {})
    return undefined
  }

  /** Something of it is due at this time; undefined = it waits for the far end or for its owner. */
  wakeAtMs(nowMs: number): number | undefined {
    let atMs = Infinity
    let shortestMs = Infinity
    for (const [path, owed] of this.#paths) {
      atMs = Math.min(atMs, owed.atMs, owed.probeAtMs)
      shortestMs = Math.min(shortestMs, path.options.minTimeoutMs)
    }
    if (this.#state === 'reset') return undefined
    if (this.#send.segments.length > 0 || this.#send.hasNew) atMs = Math.min(atMs, nowMs + shortestMs / TICKS_PER_TIMEOUT, this.#probeAtMs)
    return atMs === Infinity ? undefined : atMs
  }

  /** Looks for what is late. To be called at the time that `wakeAtMs` named. */
  tick(nowMs: number): void {
    if (this.#state === 'reset') return
    for (const path of this.#paths.keys()) {
      if (!path.options.reliable) this.#repair(path, nowMs)
      else if (!path.silent && this.#isLate(path, nowMs) && this.#hasOther(path)) this.#silence(path, nowMs)
    }
    this.#watchWindow(nowMs)
    if (this.#send.segments.length === 0 && !this.#send.hasNew) this.#progressAtMs = undefined
    else {
      this.#progressAtMs ??= nowMs
      if (nowMs - this.#progressAtMs > this.#limits.stallMs) this.reset(RESET_CODES.timeout)
    }
  }

  #acknowledged(path: RangePath, ack: NonNullable<Frame['ack']>, nowMs: number): boolean {
    const done = this.#send.acknowledge(ack)
    if (done === undefined) return false
    const limit = ack.upTo + ack.window
    if (limit > this.#peerLimit) {
      this.#peerLimit = limit
      this.#probeAtMs = Infinity
    }
    if (done.length === 0) return true
    this.#progressAtMs = nowMs
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
    return true
  }

  #takeData(owed: Owed, path: RangePath, frame: Frame, nowMs: number): void {
    const received = this.#receive.insert(frame.offset, frame.data, frame.fin)
    if (received === 'conflict') return this.reset(RESET_CODES.protocol)
    if (received === 'flooded') return this.reset(RESET_CODES.limit)
    const outOfOrder = this.#receive.hasGap && !path.options.reliable
    this.#owe(owed, frame, nowMs, received !== 'new' || frame.fin || frame.answer || outOfOrder || this.#receive.complete)
  }

  #owe(owed: Owed, frame: Frame, nowMs: number, now: boolean): void {
    if (owed.echo === 0) owed.echo = frame.sentAt
    owed.frames += 1
    owed.atMs = Math.min(owed.atMs, nowMs + this.#limits.ackDelayMs)
    if (now || owed.frames >= this.#limits.ackAfterFrames) owed.now = true
  }

  #frame(
    type: Frame['type'],
    owed: Owed,
    nowMs: number,
    more: { readonly offset?: number; readonly answer?: boolean; readonly segment?: Segment; readonly resent?: boolean },
  ): Frame {
    const { offset = 0, answer = false, segment, resent = false } = more
    const { echo } = owed
    owed.frames = 0
    owed.atMs = Infinity
    owed.now = false
    owed.echo = 0
    this.#windowDue = false
    return {
      type,
      stream: this.id,
      offset: segment?.offset ?? offset,
      data: segment?.data ?? NOTHING,
      fin: segment?.fin ?? false,
      answer,
      resent,
      ack: type === 'reset' ? undefined : this.#receive.acknowledge(),
      sentAt: stamp(nowMs),
      echo,
    }
  }

  #place(segment: Segment, path: RangePath, owed: Owed, nowMs: number): Frame {
    if (segment.placements.length === 0) this.#homeless -= 1
    segment.placements.push({ path, sentAtMs: nowMs, deliveredBefore: path.deliveredBytes })
    segment.sends += 1
    segment.overtaken = 0
    path.inFlightBytes += segment.data.length
    const resent = segment.sends > 1
    if (resent) this.#resentBytes += segment.data.length
    this.#progressAtMs ??= nowMs
    return this.#frame('data', owed, nowMs, { segment, resent })
  }

  #segmentFor(path: RangePath, nowMs: number): Segment | undefined {
    const hasRoom = path.roomBytes > 0
    if (this.#homeless > 0 && hasRoom) {
      const found = this.#send.segments.find(({ placements }) => placements.length === 0)
      if (found !== undefined) return this.#fit(found, path)
    }
    const allowed = this.#peerLimit - this.#send.next
    const endOnly = this.#send.queuedBytes === 0
    if (this.#send.hasNew && (allowed > 0 || endOnly)) {
      if (!hasRoom || this.#bestPath(path.segmentBytes) !== path) return undefined
      this.#homeless += 1
      return this.#send.cut(Math.min(path.segmentBytes, Math.max(0, allowed)))
    }
    return this.#helpFor(path, nowMs)
  }

  #fit(segment: Segment, path: RangePath): Segment {
    const head = this.#send.split(segment, path.options.maxSegmentBytes)
    if (head !== segment) this.#homeless += 1
    return head
  }

  /** A path that has nothing else to do carries what takes long elsewhere as well. */
  #helpFor(path: RangePath, nowMs: number): Segment | undefined {
    if (!path.options.reliable || path.inFlightBytes > 0 || this.#paths.size < 2) return undefined
    const [oldest] = this.#send.segments
    const [placement] = oldest?.placements ?? []
    if (oldest === undefined || placement === undefined || placement.path === path) return undefined
    if (oldest.placements.length >= MAX_COPIES || oldest.data.length > path.options.maxSegmentBytes) return undefined
    const patienceMs = Math.max(HELP_AFTER_MS, 2 * (path.srttMs ?? path.options.initialTimeoutMs))
    return nowMs - placement.sentAtMs > patienceMs ? oldest : undefined
  }

  /** The path on which something new would arrive first, whether it has room or not: a slower one that has room must not delay the stream. */
  #bestPath(bytes: number): RangePath | undefined {
    let best: RangePath | undefined
    let bestMs = Infinity
    for (const path of this.#paths.keys()) {
      if (path.silent) continue
      const ms = path.arrivalMs(bytes)
      if (ms >= bestMs) continue
      best = path
      bestMs = ms
    }
    return best
  }

  #hasOther(path: RangePath): boolean {
    for (const other of this.#paths.keys()) if (other !== path && !other.silent) return true
    return false
  }

  #isLate(path: RangePath, nowMs: number): boolean {
    // A path whose queue grows is slow, not silent: it makes progress once in a round trip.
    if (nowMs - path.progressAtMs < path.timeoutMs / 3) return false
    return this.#send.segments.some(({ placements }) =>
      placements.some((one) => one.path === path && nowMs - one.sentAtMs >= path.timeoutMs),
    )
  }

  #silence(path: RangePath, nowMs: number): void {
    path.silent = true
    const owed = this.#paths.get(path)
    if (owed !== undefined) owed.probeAtMs = nowMs + path.nextProbeMs()
    this.#takeOff(path)
  }

  /** Takes everything off a path; what is nowhere else is sent again. */
  #takeOff(path: RangePath): void {
    for (const segment of this.#send.segments) this.#remove(segment, path)
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
    for (const segment of this.#send.segments) {
      const placement = segment.placements.find((one) => one.path === path)
      if (placement === undefined) continue
      const ageMs = nowMs - placement.sentAtMs
      const overtaken = segment.overtaken >= OVERTAKEN && ageMs > path.overtakenMs
      if (!overtaken && ageMs < path.timeoutAfter(segment.sends)) continue
      this.#remove(segment, path)
      path.lost(nowMs)
    }
  }

  /** A window that stays shut is asked about: the word that opened it may be lost. */
  #watchWindow(nowMs: number): void {
    const shut = this.#send.queuedBytes > 0 && this.#send.next >= this.#peerLimit && this.#send.segments.length === 0
    if (!shut) this.#probeAtMs = Infinity
    else if (this.#probeAtMs === Infinity) {
      const waits = [...this.#paths.keys()].filter(({ silent }) => !silent).map(({ timeoutMs }) => timeoutMs)
      this.#probeAtMs = nowMs + Math.min(...waits, MAX_RTT_MS)
    }
  }
}

const NOTHING = new Uint8Array(0)

/** The time on the wire: milliseconds in 32 bits, never 0. */
function stamp(nowMs: number): number {
  return Math.floor(nowMs) >>> 0 || 1
}
