import { createHash, randomBytes } from 'node:crypto'

/** The sizes that are transferred: those by which Tor's own measurements are known (OnionPerf). */
export const TRANSFER_SIZES = { '50KiB': 50 << 10, '1MiB': 1 << 20, '5MiB': 5 << 20 } as const

/** The name of one of the sizes. */
export type TransferSize = keyof typeof TRANSFER_SIZES

/** Bytes written at a time: as much as a read from a socket brings. */
const CHUNK_BYTES = 64 << 10

/** What is sent: random, because some networks compress what they carry. */
export class Payload {
  readonly #bytes = randomBytes(TRANSFER_SIZES['5MiB'])
  readonly #digests = new Map<number, string>()

  /** The first bytes. */
  first(count: number): Buffer {
    return this.#bytes.subarray(0, count)
  }

  /** SHA-256 of the first bytes, in hex. */
  digest(count: number): string {
    const known = this.#digests.get(count)
    if (known !== undefined) return known
    const digest = createHash('sha256').update(this.first(count)).digest('hex')
    this.#digests.set(count, digest)
    return digest
  }

  /** The bytes over and over, without an end. */
  *chunks(): Generator<Buffer> {
    for (let at = 0; ; at = (at + CHUNK_BYTES) % this.#bytes.length) yield this.#bytes.subarray(at, at + CHUNK_BYTES)
  }
}
