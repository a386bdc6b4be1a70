/** A line was longer than it may be. */
export class LineTooLongError extends Error {
  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`)
  }
}

const LF = 0x0a

/**
 * Cuts a byte stream into lines, without I/O. Memory is bounded by `maxBytes` and one chunk. A carriage return before the line feed
 * belongs to the line feed (executables on Windows write both).
 */
export class LineSplitter {
  readonly #maxBytes: number
  #parts: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that are complete with this chunk, without their ends. @throws LineTooLongError */
  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#take(chunk.subarray(start, end))
      start = end + 1
      const line = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
      this.#parts = []
      this.#bytes = 0
      yield line.at(-1) === 0x0d ? line.subarray(0, -1) : line
    }
    if (start < chunk.length) this.#take(chunk.subarray(start))
  }

  #take(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#maxBytes) throw new LineTooLongError(this.#maxBytes)
    this.#parts.push(part)
  }
}
