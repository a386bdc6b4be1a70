import type { Clock } from '../../../../core/index.ts'

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #now = 0
  readonly #due = new Set<{ at: number; readonly fn: () => void; readonly everyMs?: number }>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#now + ms, fn })
  }

  every(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#now + ms, fn, everyMs: ms })
  }

  /** The waits of the timers that are set, in order. */
  get waiting(): number[] {
    return [...this.#due].map(({ at }) => at - this.#now).toSorted((a, b) => a - b)
  }

  /** Moves on, and calls what is due on the way; promises that follow from it get their turn. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = [...this.#due].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = next.at
      if (next.everyMs === undefined) this.#due.delete(next)
      else next.at += next.everyMs
      next.fn()
      await settle()
    }
    this.#now = end
    await settle()
  }

  #add(entry: { at: number; readonly fn: () => void; readonly everyMs?: number }): () => void {
    this.#due.add(entry)
    return () => this.#due.delete(entry)
  }
}

/** Lets promises that are settled already have their effect. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
