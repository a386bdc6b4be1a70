import { decodeFrame, FRAME_HEADER_BYTES, frameLength, type Frame } from './frame.ts'

/** Cuts a byte stream into frames. Holds at most one frame that is not complete. */
export class FrameReader {
  #parts: Buffer[] = []
  #held = 0

  /** The frames that are complete with this chunk. @throws ProtocolError when it cannot be the format. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    this.#parts.push(chunk)
    this.#held += chunk.length
    while (this.#held >= FRAME_HEADER_BYTES) {
      const length = frameLength(this.#head(FRAME_HEADER_BYTES)) as number
      if (this.#held < length) break
      frames.push(decodeFrame(this.#take(length)))
    }
    return frames
  }

  /** The next bytes, at least `length`, in one piece. */
  #head(length: number): Buffer {
    const [first] = this.#parts as [Buffer]
    if (first.length >= length) return first
    // Only what is missing is copied out of the next chunk, which may be long.
    let merged = first
    let index = 1
    for (; merged.length < length; index++) merged = Buffer.concat([merged, this.#parts[index] as Buffer])
    this.#parts.splice(0, index, merged)
    return merged
  }

  #take(length: number): Buffer {
    const head = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : this.#gathered(length)
    this.#held -= length
    if (head.length === length) this.#parts.shift()
    else this.#parts[0] = head.subarray(length)
    return head.subarray(0, length)
  }

  /** As `#head`, but many small chunks are put together once. */
  #gathered(length: number): Buffer {
    let count = 0
    let total = 0
    while (total < length) total += (this.#parts[count++] as Buffer).length
    if (count > 1) this.#parts.splice(0, count, Buffer.concat(this.#parts.slice(0, count), total))
    return this.#parts[0] as Buffer
  }
}
