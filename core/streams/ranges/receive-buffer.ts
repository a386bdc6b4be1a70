import { MAX_SACKS, type Acknowledgement } from './frame.ts'

/**
 * Pieces that wait behind a gap. A window is a few dozen segments of a sender that moves bulk; somebody who sends single bytes behind a gap
 * would otherwise make this end hold a hundred times what the window says.
 */
const MAX_PIECES = 4_096
/** Bytes that wait for a slow reader are gathered when they come in pieces shorter than this, so that their overhead stays small. */
const GATHER_BELOW_BYTES = 1_024
const GATHERED_BYTES = 4_096
/** A view that keeps this many times its length alive is copied. */
const MAX_PINNED = 4

interface Piece {
  readonly from: number
  readonly data: Uint8Array
}

/** What became of received bytes. `conflict`: they contradict what came before; `flooded`: more pieces than anybody needs. */
export type Received = 'new' | 'duplicate' | 'beyond' | 'conflict' | 'flooded'

/**
 * Puts ranges of bytes into order: hands on only what is contiguous, drops what it has, and takes no more than it said it would.
 * A gap is never skipped.
 */
export class ReceiveBuffer {
  readonly #windowBytes: () => number
  /** Bytes below are contiguous. */
  #next = 0
  /** Bytes below were taken by the reader. */
  #taken = 0
  /** Bytes below may be sent by the far end; never lowered. */
  #granted: number
  #ready: Uint8Array[] = []
  /** Room at the end of the last of `#ready`, when it was gathered here. */
  #tail: { readonly bytes: Buffer; used: number } | undefined
  /** Behind gaps, ascending, without overlaps. */
  #pieces: Piece[] = []
  #pieceBytes = 0
  #finalSize: number | undefined
  /** Which ranges the next acknowledgement begins with, when they do not all fit. */
  #turn = 0

  /** `windowBytes` is asked at each grant: it may shrink when many streams share the memory. */
  constructor(windowBytes: () => number) {
    this.#windowBytes = windowBytes
    this.#granted = windowBytes()
  }

  /** Whether everything up to the end is here. */
  get complete(): boolean {
    return this.#next === this.#finalSize
  }

  /** Whether everything up to the end was taken by the reader. */
  get drained(): boolean {
    return this.complete && this.#ready.length === 0
  }

  /** Whether bytes are missing below some that are here. */
  get hasGap(): boolean {
    return this.#pieces.length > 0
  }

  /** Bytes held, for the reader and behind gaps. */
  get heldBytes(): number {
    return this.#next - this.#taken + this.#pieceBytes
  }

  /** Takes a range, which may have parts that are here already. */
  insert(offset: number, data: Uint8Array, fin: boolean): Received {
    const end = offset + data.length
    if (this.#finalSize !== undefined && (end > this.#finalSize || (fin && end !== this.#finalSize))) return 'conflict'
    if (end > this.#granted) return 'beyond'
    const endIsNew = fin && this.#finalSize === undefined
    if (endIsNew) {
      const last = this.#pieces.at(-1)
      if (end < this.#next || (last !== undefined && end < last.from + last.data.length)) return 'conflict'
      this.#finalSize = end
    }
    const isNew = offset <= this.#next ? this.#advance(data.subarray(this.#next - offset)) : this.#keep(offset, data)
    if (this.#pieces.length > MAX_PIECES) return 'flooded'
    return isNew || endIsNew ? 'new' : 'duplicate'
  }

  /** The next bytes in order. */
  read(): Uint8Array | undefined {
    const chunk = this.#ready.shift()
    if (chunk === undefined) return undefined
    if (this.#ready.length === 0) this.#tail = undefined
    this.#taken += chunk.length
    return chunk
  }

  /** Whether the far end, which may use less than a quarter of the window, would learn of more than half of it. */
  get windowOpened(): boolean {
    const windowBytes = this.#windowBytes()
    return !this.complete && this.#granted - this.#next < windowBytes / 4 && this.#taken + windowBytes - this.#next > windowBytes / 2
  }

  /** What is to be said of it now; grants what it says. */
  acknowledge(): Acknowledgement {
    this.#granted = Math.max(this.#granted, this.#taken + this.#windowBytes())
    return { upTo: this.complete ? this.#next + 1 : this.#next, window: this.#granted - this.#next, ranges: this.#ranges() }
  }

  #ranges(): Array<readonly [number, number]> {
    const ranges: Array<[number, number]> = []
    for (const { from, data } of this.#pieces) {
      const last = ranges.at(-1)
      if (last?.[1] === from) last[1] = from + data.length
      else ranges.push([from, from + data.length])
    }
    if (ranges.length <= MAX_SACKS) return ranges
    // Each acknowledgement tells of others, so that the far end learns of all.
    const start = this.#turn < ranges.length ? this.#turn : 0
    this.#turn = start + MAX_SACKS
    return ranges.slice(start, start + MAX_SACKS)
  }

  /** Appends bytes that are next in order, and the pieces that they reach. Whether there were any. */
  #advance(data: Uint8Array): boolean {
    const before = this.#next
    this.#append(data)
    let used = 0
    for (const { from, data: held } of this.#pieces) {
      if (from > this.#next) break
      used += 1
      this.#pieceBytes -= held.length
      this.#append(held.subarray(this.#next - from))
    }
    if (used > 0) this.#pieces.splice(0, used)
    return this.#next > before
  }

  #append(data: Uint8Array): void {
    if (data.length === 0) return
    this.#next += data.length
    const tail = this.#tail
    if (tail !== undefined && tail.bytes.length - tail.used >= data.length && this.#ready.length > 0) {
      const start = tail.used - (this.#ready.at(-1) as Uint8Array).length
      tail.bytes.set(data, tail.used)
      tail.used += data.length
      this.#ready[this.#ready.length - 1] = tail.bytes.subarray(start, tail.used)
    } else if (this.#ready.length > 0 && data.length < GATHER_BELOW_BYTES) {
      const bytes = Buffer.allocUnsafeSlow(GATHERED_BYTES)
      bytes.set(data)
      this.#tail = { bytes, used: data.length }
      this.#ready.push(bytes.subarray(0, data.length))
    } else {
      this.#tail = undefined
      this.#ready.push(owned(data))
    }
  }

  /** Keeps what is new of a range behind a gap. Whether anything was. */
  #keep(offset: number, data: Uint8Array): boolean {
    const end = offset + data.length
    let start = this.#pieces.length
    while (start > 0 && pieceEnd(this.#pieces[start - 1] as Piece) > offset) start -= 1
    const merged: Piece[] = []
    let known = 0
    for (let from = offset; from < end;) {
      const held = this.#pieces[start + known]
      const to = held === undefined ? end : Math.min(end, held.from)
      if (to > from) {
        merged.push({ from, data: owned(data.subarray(from - offset, to - offset)) })
        this.#pieceBytes += to - from
      }
      if (held === undefined || held.from >= end) break
      merged.push(held)
      known += 1
      from = Math.max(from, pieceEnd(held))
    }
    this.#pieces.splice(start, known, ...merged)
    return merged.length > known
  }
}

function pieceEnd({ from, data }: Piece): number {
  return from + data.length
}

/** The bytes without much else that they would keep in memory. */
function owned(data: Uint8Array): Uint8Array {
  return data.buffer.byteLength > data.length * MAX_PINNED ? Uint8Array.prototype.slice.call(data) : data
}
