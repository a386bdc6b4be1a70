import type { LinkStream } from '../../core/index.ts'

/** Counts the streams of visitors and their bytes. */
export class TrafficCount {
  readonly #open = new Set<LinkStream>()
  #in = 0
  #out = 0
  #total = 0

  /** Counts a stream from now on. */
  count(stream: LinkStream): void {
    this.#total++
    this.#open.add(stream)
    stream.once('close', () => {
      this.#open.delete(stream)
      this.#in += stream.bytes.received
      this.#out += stream.bytes.sent
    })
  }

  /** So far, running streams included. */
  get figures(): { readonly bytesIn: number; readonly bytesOut: number; readonly openStreams: number; readonly totalStreams: number } {
    let bytesIn = this.#in
    let bytesOut = this.#out
    for (const stream of this.#open) {
      bytesIn += stream.bytes.received
      bytesOut += stream.bytes.sent
    }
    return { bytesIn, bytesOut, openStreams: this.#open.size, totalStreams: this.#total }
  }
}
