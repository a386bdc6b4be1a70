import type { Sink } from './sink.ts'

/** First buffer: most connections carry small messages, and an idle one should cost little. */
const FIRST_BYTES = 16 * 1024
/** Largest buffer: above it nothing is gained (docs/performance.md). */
const MAX_BYTES = 256 * 1024
/** A chunk shorter than this is copied out for a destination that may keep it, instead of pinning a whole buffer. */
const COPY_BELOW_BYTES = 8 * 1024
/** Full buffers that wait to be used again: one is being read into while one or two are being written. */
const MAX_RETIRED = 3

/** First buffers of connections that are gone, for the next ones: 4 MiB of them at most. */
const MAX_SPARE_FIRST = 256
const spareFirst: Buffer[] = []

/** A piece of memory that is read into. */
interface Slab {
  readonly bytes: Buffer
  /** Chunks of it that are being written. */
  lent: number
  /** Whether somebody may keep a part of it for ever. */
  given: boolean
}

/**
 * The memory that one connection reads into, used again as soon as the bytes are written: what costs in Node's own reading is the buffer
 * that is made for each read. Several reads can be gathered into one chunk. The place of the next read is fixed from one `turn` to the
 * next, since the system has been told of it.
 */
export class ReadArena {
  #slab: Slab = { bytes: spareFirst.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES), lent: 0, given: false }
  #start = 0
  #end = 0
  #retired: Slab[] = []

  /** Where the next read goes. */
  get space(): Buffer {
    return this.#slab.bytes.subarray(this.#end)
  }

  /** Whether another long read fits behind the gathered bytes. */
  get hasSpace(): boolean {
    return this.#slab.bytes.length - this.#end >= FIRST_BYTES
  }

  /** Notes that so many bytes were read into `space`. */
  filled(length: number): void {
    this.#end += length
  }

  /** Hands on what was read since the last time; whether there is room for more. */
  flush(sink: Sink): boolean {
    if (this.#end === this.#start) return true
    const chunk = this.#slab.bytes.subarray(this.#start, this.#end)
    this.#start = this.#end
    if (!sink.keeps || sink.copies) return this.#lend(chunk, sink)
    if (chunk.length < COPY_BELOW_BYTES) return sink.write(Buffer.from(chunk))
    this.#slab.given = true
    return sink.write(chunk)
  }

  /** Chooses where reading goes on. To be called when everything was flushed or there is space, before the system is told of `space`. */
  turn(): void {
    const slab = this.#slab
    const { length } = slab.bytes
    const full = length - this.#end < FIRST_BYTES
    if (this.#start !== this.#end || (slab.given && !full)) return
    // Reads that fill the buffer save calls when it is larger.
    const grow = full && length < MAX_BYTES
    if (grow || ((slab.lent > 0 || slab.given) && full)) this.#slab = this.#next(grow ? Math.min(length * 4, MAX_BYTES) : length)
    else if (slab.lent > 0) return
    this.#start = 0
    this.#end = 0
  }

  /** Leaves the memory to other connections. To be called once, when the system reads no more and everything was flushed. */
  release(): void {
    const { bytes, lent, given } = this.#slab
    if (bytes.length === FIRST_BYTES && lent === 0 && !given && spareFirst.length < MAX_SPARE_FIRST) spareFirst.push(bytes)
  }

  /** To a destination that has taken the bytes when it says so, or at once when it is idle afterwards. */
  #lend(chunk: Buffer, sink: Sink): boolean {
    const slab = this.#slab
    const encrypts = sink.copies && sink.idle
    let waiting = false
    const room = sink.write(chunk, () => {
      if (waiting) slab.lent--
    })
    if (!encrypts && !sink.idle) {
      waiting = true
      slab.lent++
    }
    return room
  }

  #next(length: number): Slab {
    const old = this.#slab
    const free = this.#retired.findIndex((slab) => slab.lent === 0 && slab.bytes.length === length)
    const [next = newSlab(length)] = free < 0 ? [] : this.#retired.splice(free, 1)
    if (!old.given && old.bytes.length === length && this.#retired.length < MAX_RETIRED) this.#retired.push(old)
    return next
  }
}

function newSlab(length: number): Slab {
  return { bytes: Buffer.allocUnsafeSlow(length), lent: 0, given: false }
}
