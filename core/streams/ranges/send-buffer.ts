import type { Acknowledgement } from './frame.ts'
import type { RangePath } from './range-path.ts'

/** A segment on its way on one path. */
export interface Placement {
  readonly path: RangePath
  readonly sentAtMs: number
  /** What the path had delivered when it was sent, and when it last did: for its rate. */
  readonly deliveredBefore: number
}

/** A range of bytes that was cut for sending. Its end counts as one byte when the stream ends there. */
export interface Segment {
  readonly offset: number
  readonly data: Uint8Array
  readonly fin: boolean
  /** Where it is on its way; empty = it has to be sent (again). */
  placements: Placement[]
  /** How often it was sent. */
  sends: number
  /** How many segments behind it were acknowledged before it. */
  overtaken: number
}

/** First number behind a segment. */
function segmentEnd({ offset, data, fin }: Pick<Segment, 'offset' | 'data' | 'fin'>): number {
  return offset + data.length + (fin ? 1 : 0)
}

/** Bytes that were written and are not acknowledged, cut into segments as they are sent. */
export class SendBuffer {
  /** Written, not cut yet. */
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  /** Cut, not acknowledged, ascending. */
  #segments: Segment[] = []
  #segmentBytes = 0
  /** First offset that was not cut. */
  #next = 0
  #ended = false
  #finCut = false

  /** Bytes held. */
  get heldBytes(): number {
    return this.#queuedBytes + this.#segmentBytes
  }

  /** First offset that was never sent. */
  get next(): number {
    return this.#next
  }

  /** Bytes that were never sent. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Whether there is something that was never sent: bytes, or the end. */
  get hasNew(): boolean {
    return this.#queuedBytes > 0 || (this.#ended && !this.#finCut)
  }

  /** Whether everything up to the end was acknowledged. */
  get complete(): boolean {
    return this.#finCut && this.#segments.length === 0
  }

  /** What is on its way or has to be sent again, in order. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** Appends bytes; they must not be changed afterwards. */
  write(data: Uint8Array): void {
    if (data.length === 0) return
    this.#queue.push(data)
    this.#queuedBytes += data.length
  }

  /** Ends the stream behind what was written. */
  end(): void {
    this.#ended = true
  }

  /** Cuts the next segment, of at most `maxBytes`. */
  cut(maxBytes: number): Segment {
    const data = this.#gather(maxBytes)
    const fin = this.#ended && this.#queuedBytes === 0
    const segment: Segment = { offset: this.#next, data, fin, placements: [], sends: 0, overtaken: 0 }
    this.#next += data.length
    this.#segmentBytes += data.length
    if (fin) this.#finCut = true
    this.#segments.push(segment)
    return segment
  }

  /** Cuts a segment in two, for a path that takes less at once. */
  split(segment: Segment, maxBytes: number): Segment {
    if (segment.data.length <= maxBytes) return segment
    const { offset, data, fin, sends } = segment
    const head: Segment = { offset, data: data.subarray(0, maxBytes), fin: false, placements: [], sends, overtaken: 0 }
    const rest: Segment = { offset: offset + maxBytes, data: data.subarray(maxBytes), fin, placements: [], sends, overtaken: 0 }
    this.#segments.splice(this.#segments.indexOf(segment), 1, head, rest)
    return head
  }

  /** Lets go of what the far end has; returns it. Undefined when it acknowledges what was never sent. */
  acknowledge({ upTo, ranges }: Acknowledgement): Segment[] | undefined {
    const sent = this.#next + (this.#finCut ? 1 : 0)
    if (upTo > sent || (ranges.at(-1)?.[1] ?? 0) > this.#next) return undefined
    const done: Segment[] = []
    const first = this.#segments[0]
    if (first === undefined || (segmentEnd(first) > upTo && ranges.length === 0)) return done
    let range = 0
    const left: Segment[] = []
    if (ranges.length === 0) {
      // The usual case on a single path costs what it acknowledges, not what is on its way.
      while (this.#segments[done.length] !== undefined && segmentEnd(this.#segments[done.length] as Segment) <= upTo)
        done.push(this.#segments[done.length] as Segment)
      this.#segments.splice(0, done.length)
      for (const { data } of done) this.#segmentBytes -= data.length
      return done
    }
    for (const segment of this.#segments) {
      const end = segmentEnd(segment)
      while (range < ranges.length && (ranges[range] as readonly [number, number])[1] < end) range += 1
      const covering = ranges[range]
      if (end <= upTo || (covering !== undefined && covering[0] <= segment.offset && end <= covering[1])) done.push(segment)
      else left.push(segment)
    }
    this.#segments = left
    for (const { data } of done) this.#segmentBytes -= data.length
    if (done.length > 0) this.#countOvertaken(done)
    return done
  }

  #countOvertaken(done: readonly Segment[]): void {
    let ahead = 0
    let index = done.length - 1
    for (let at = this.#segments.length - 1; at >= 0; at--) {
      const segment = this.#segments[at] as Segment
      for (; index >= 0 && (done[index] as Segment).offset > segment.offset; index--) ahead += 1
      segment.overtaken += ahead
    }
  }

  /** The next bytes of the queue; a long piece is not copied, short ones are put together. */
  #gather(maxBytes: number): Uint8Array {
    const [first] = this.#queue
    if (first === undefined) return new Uint8Array(0)
    if (first.length >= maxBytes / 2 || this.#queue.length === 1) {
      const data = first.subarray(0, maxBytes)
      if (data.length === first.length) this.#queue.shift()
      else this.#queue[0] = first.subarray(maxBytes)
      this.#queuedBytes -= data.length
      return data
    }
    const parts: Uint8Array[] = []
    let total = 0
    for (let part = this.#queue[0]; part !== undefined && total < maxBytes; part = this.#queue[0]) {
      const taken = part.subarray(0, maxBytes - total)
      parts.push(taken)
      total += taken.length
      if (taken.length === part.length) this.#queue.shift()
      else this.#queue[0] = part.subarray(taken.length)
    }
    this.#queuedBytes -= total
    return Buffer.concat(parts, total)
  }
}
