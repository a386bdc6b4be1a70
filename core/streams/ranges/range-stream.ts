import { RESET_CODES, type Frame } from './frame.ts'
import type { RangePath } from './range-path.ts'
import { RangeSender } from './range-sender.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import type { Segment } from './send-buffer.ts'

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

/** What is owed to the far end on one path. */
interface Owed {
  /** Frames with data that were not acknowledged yet. */
  frames: number
  /** When an acknowledgement is due at the latest. */
  atMs: number
  now: boolean
  /** Time stamp of the earliest frame that was not answered. */
  echo: number
  /** The path is asked whether it lives, or about a shut window, at this time. */
  probeAtMs: number
}

/** Round trips above this are no measurement but a wrong echo. */
const MAX_RTT_MS = 600_000
/** How often late segments are looked for, as a share of the shortest time-out. */
const TICKS_PER_TIMEOUT = 6

/**
 * One byte stream in both directions, as ranges of bytes that are acknowledged and repeated: over several paths that may die or fall silent,
 * or over a network of messages that may be lost, doubled and re-ordered. Pure and deterministic: who owns it hands in frames and the
 * time, asks for frames to send and wakes it. Not one byte is lost or doubled: the stream is complete or it is reset.
 */
export class RangeStream {
  readonly id: number
  readonly #limits: RangeLimits
  readonly #sender: RangeSender
  readonly #receive: ReceiveBuffer
  readonly #paths = new Map<RangePath, Owed>()
  #state: RangeState = 'open'
  #resetCode: number | undefined
  /** Paths on which a reset is still to be said. */
  readonly #resetDue = new Set<RangePath>()
  #windowDue = false
  #progressAtMs: number | undefined
  /** When the far end is asked about its shut window. */
  #askAtMs = Infinity

  /** `peerWindowBytes`: what the far end takes before its first word. */
  constructor(setup: { readonly id: number; readonly limits: RangeLimits; readonly peerWindowBytes: number }) {
    this.id = setup.id
    this.#limits = setup.limits
    this.#receive = new ReceiveBuffer(setup.limits.receiveBytes)
    this.#sender = new RangeSender(setup.peerWindowBytes)
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
    return this.#limits.sendBytes() - this.#sender.buffer.heldBytes
  }

  /** Whether all that was written and the end have arrived. */
  get sent(): boolean {
    return this.#sender.buffer.complete
  }

  /** Whether the far end ended and everything was read. */
  get drained(): boolean {
    return this.#receive.drained
  }

  /** Bytes held, both directions. */
  get heldBytes(): number {
    return this.#sender.buffer.heldBytes + this.#receive.heldBytes
  }

  /** Bytes that were sent more than once. */
  get resentBytes(): number {
    return this.#sender.resentBytes
  }

  /** Appends bytes, which must not be changed afterwards. */
  write(data: Uint8Array): void {
    this.#sender.buffer.write(data)
  }

  /** Ends this end's direction. */
  end(): void {
    this.#sender.buffer.end()
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

  /** Takes the far end's word that both directions are complete. Whether it can be: not while something was never sent or is missing here. */
  finish(): boolean {
    if (this.#state !== 'open' || !this.#receive.complete || !this.#sender.finish()) return this.#state === 'done'
    this.#state = 'done'
    return true
  }

  /** Repeats on every path what has arrived: to be called before the paths are left. */
  acknowledgeEverywhere(): void {
    for (const owed of this.#paths.values()) owed.now = true
  }

  /** Asks on every path whether it lives, and again until something is heard there. */
  ask(nowMs: number): void {
    for (const owed of this.#paths.values()) owed.probeAtMs = Math.min(owed.probeAtMs, nowMs)
  }

  addPath(path: RangePath): void {
    this.#paths.set(path, { frames: 0, atMs: Infinity, now: false, echo: 0, probeAtMs: Infinity })
    this.#sender.addPath(path)
    if (this.#state === 'reset') this.#resetDue.add(path)
  }

  /** A path is gone: what was on its way there goes to the others, now. */
  removePath(path: RangePath): void {
    if (!this.#paths.delete(path)) return
    this.#resetDue.delete(path)
    this.#sender.removePath(path)
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
    if (frame.ack !== undefined) {
      const said = this.#sender.acknowledged(path, frame.ack, nowMs)
      if (said === 'nonsense') return this.reset(RESET_CODES.protocol)
      if (said === 'progress') this.#progressAtMs = nowMs
    }
    if (frame.type === 'data') this.#takeData(owed, path, frame, nowMs)
    else if (frame.answer) this.#owe(owed, frame, nowMs, true)
    if (this.#state === 'open' && this.sent && this.#receive.complete) this.#state = 'done'
  }

  /** The next frame for a path that has room for one; undefined when there is none for it now. */
  next(path: RangePath, nowMs: number): Frame | undefined {
    const owed = this.#paths.get(path)
    if (owed === undefined) return undefined
    if (this.#state === 'reset') {
      return this.#resetDue.delete(path) ? this.#frame('reset', owed, nowMs, { offset: this.#resetCode ?? 0 }) : undefined
    }
    const placed = this.#sender.next(path, nowMs)
    if (placed !== undefined) {
      this.#progressAtMs ??= nowMs
      return this.#frame('data', owed, nowMs, placed)
    }
    if (owed.probeAtMs <= nowMs) {
      owed.probeAtMs = nowMs + path.nextProbeMs()
      return this.#frame('ack', owed, nowMs, { answer: true })
    }
    const due = owed.now || owed.atMs <= nowMs || (this.#windowDue && !path.silent)
    return due ? this.#frame('ack', owed, nowMs, {}) : undefined
  }

  /** Something of it is due at this time; undefined = it waits for the far end or for its owner. */
  wakeAtMs(nowMs: number): number | undefined {
    if (this.#state === 'reset') return undefined
    let atMs = this.#askAtMs
    let shortestMs = Infinity
    for (const [path, owed] of this.#paths) {
      atMs = Math.min(atMs, owed.atMs, owed.probeAtMs)
      shortestMs = Math.min(shortestMs, path.options.minTimeoutMs)
    }
    if (this.#sender.busy) atMs = Math.min(atMs, nowMs + shortestMs / TICKS_PER_TIMEOUT)
    return atMs === Infinity ? undefined : atMs
  }

  /** Looks for what is late. To be called at the time that `wakeAtMs` named. */
  tick(nowMs: number): void {
    if (this.#state === 'reset') return
    for (const path of this.#sender.tick(nowMs)) {
      const owed = this.#paths.get(path)
      if (owed !== undefined) owed.probeAtMs = nowMs + path.nextProbeMs()
    }
    this.#watchWindow(nowMs)
    if (!this.#sender.busy) this.#progressAtMs = undefined
    else {
      this.#progressAtMs ??= nowMs
      if (nowMs - this.#progressAtMs > this.#limits.stallMs) this.reset(RESET_CODES.timeout)
    }
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

  /**
   * A window that stays shut is asked about, because the word that opened it may be lost: on every path, for the one that it went to may have
   * fallen silent, which nothing else would tell while nothing is on its way there.
   */
  #watchWindow(nowMs: number): void {
    if (!this.#sender.shut) this.#askAtMs = Infinity
    else if (this.#askAtMs <= nowMs || this.#askAtMs === Infinity) {
      const open = [...this.#paths].filter(([{ silent }]) => !silent)
      // Where an answer is missing already, it is asked again in longer and longer intervals.
      if (this.#askAtMs <= nowMs) for (const [, owed] of open) if (owed.probeAtMs === Infinity) owed.probeAtMs = nowMs
      this.#askAtMs = nowMs + Math.min(...open.map(([{ timeoutMs }]) => timeoutMs), MAX_RTT_MS)
    }
  }
}

const NOTHING = new Uint8Array(0)

/** The time on the wire: milliseconds in 32 bits, never 0. */
function stamp(nowMs: number): number {
  return Math.floor(nowMs) >>> 0 || 1
}
