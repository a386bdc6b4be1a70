import type { Socket } from 'node:net'

/** Counts the streams of visitors and their bytes. */
export class Traffic {
  readonly #open = new Map<Socket, number>()
  #in = 0
  #out = 0
  #total = 0

  /** Counts a stream from now on. @param overhead - bytes read from it that were not the visitor's */
  count(socket: Socket, overhead: number): void {
    this.#total++
    this.#open.set(socket, overhead)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#in += socket.bytesRead - overhead
      this.#out += socket.bytesWritten
    })
  }

  /** So far, running streams included. */
  get figures(): { readonly bytesIn: number; readonly bytesOut: number; readonly openStreams: number; readonly totalStreams: number } {
    let bytesIn = this.#in
    let bytesOut = this.#out
    for (const [socket, overhead] of this.#open) {
      bytesIn += Math.max(0, socket.bytesRead - overhead)
      bytesOut += socket.bytesWritten
    }
    return { bytesIn, bytesOut, openStreams: this.#open.size, totalStreams: this.#total }
  }
}
