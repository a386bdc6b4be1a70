import type { Writable } from 'node:stream'
import { MAX_QUEUED_BYTES } from './protocol.ts'

/**
 * JSON values, one a line, to a reader that may be slow. Up to {@link MAX_QUEUED_BYTES} wait for it; what comes then is counted and told as
 * `{"missed":n}` in its place, so that memory stays bounded and the others are not held up.
 */
export class LineStream {
  readonly #out: Writable
  readonly #maxBytes: number
  #queue: string[] = []
  #bytes = 0
  #missed = 0
  #ended = false

  constructor(out: Writable, { maxBytes = MAX_QUEUED_BYTES }: { readonly maxBytes?: number } = {}) {
    this.#out = out
    this.#maxBytes = maxBytes
    out.on('drain', () => this.#flush())
    // A reader that goes away is no failure; whoever cares hears `close`.
    out.on('error', () => {})
  }

  write(value: unknown): void {
    if (this.#ended || this.#out.destroyed) return
    const line = `${JSON.stringify(value)}\n`
    if (!this.#out.writableNeedDrain && this.#queue.length === 0) {
      this.#out.write(line)
    } else if (this.#missed > 0 || this.#bytes + line.length > this.#maxBytes) {
      this.#missed++
    } else {
      this.#queue.push(line)
      this.#bytes += line.length
    }
  }

  /** Writes the last line, which is never left out, and ends the stream when the reader has everything. */
  end(value?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#noteMissed()
    if (value !== undefined) this.#queue.push(`${JSON.stringify(value)}\n`)
    if (!this.#out.writableNeedDrain) this.#flush()
  }

  #flush(): void {
    while (!this.#out.writableNeedDrain && !this.#out.destroyed) {
      const line = this.#queue.shift()
      if (line === undefined) {
        if (this.#missed === 0) break
        this.#noteMissed()
        continue
      }
      this.#bytes -= line.length
      this.#out.write(line)
    }
    if (this.#ended && this.#queue.length === 0) this.#out.end()
  }

  #noteMissed(): void {
    if (this.#missed === 0) return
    const line = `${JSON.stringify({ missed: this.#missed })}\n`
    this.#missed = 0
    this.#queue.push(line)
    this.#bytes += line.length
  }
}
