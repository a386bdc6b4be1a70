import type { StreamHandler } from '../backend.ts'

/** Counts the streams that are open, and tells when none is left. */
export class OpenStreams {
  #count = 0
  readonly #listeners = new Set<() => void>()

  get count(): number {
    return this.#count
  }

  /** Counts the streams that go to a handler, and tells of each one that comes. */
  through(handler: StreamHandler, onStream: () => void): StreamHandler {
    return (stream, visitor) => {
      this.#count += 1
      onStream()
      stream.once('close', () => {
        this.#count -= 1
        for (const listener of this.#listeners) listener()
      })
      handler(stream, visitor)
    }
  }

  /** Hears of every stream that closed until the returned function is called. */
  onClosed(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
