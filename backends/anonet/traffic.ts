import type { Socket } from 'node:net'

/** Counts the streams of visitors and their bytes. */
export class TrafficCount {
  readonly #open = new Set<Socket>()
  #in = 0
  #out = 0
  #total = 0

  /** Counts a stream from now on. */
  count(socket: Socket): void {
    this.#total++
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#in += socket.bytesRead
      this.#out += socket.bytesWritten
    })
  }

  /** So far, running streams included. */
  get figures(): { readonly bytesIn: number; readonly bytesOut: number; readonly openStreams: number; readonly totalStreams: number } {
    let bytesIn = this.#in
    let bytesOut = this.#out
    for (const socket of this.#open) {
      bytesIn += socket.bytesRead
      bytesOut += socket.bytesWritten
    }
    return { bytesIn, bytesOut, openStreams: this.#open.size, totalStreams: this.#total }
  }
}
