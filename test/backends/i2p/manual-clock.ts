import type { Clock } from '../../../core/index.ts'

/** Connecting, greeting and one answer, with both ends in this process, take about ten turns of the event loop. */
const TURNS = 25

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Time that passes when the test says so; what is due is done in order. */
export class ManualClock implements Clock {
  #now = 1_000_000
  #due: Array<{ readonly at: number; readonly run: () => void }> = []

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, fn: () => void): () => void {
    const entry = { at: this.#now + ms, run: fn }
    this.#due.push(entry)
    return () => (this.#due = this.#due.filter((other) => other !== entry))
  }

  every(ms: number, fn: () => void): () => void {
    let cancel = (): void => {}
    const again = (): void => {
      cancel = this.after(ms, () => {
        again()
        fn()
      })
    }
    again()
    return () => cancel()
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#due.length
  }

  /** Lets time pass, and what follows from it be done: promises and sockets take real turns in between. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await turns()
      const next = this.#due.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#due = this.#due.filter((entry) => entry !== next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = until
  }

  /** The time of day jumps, as after a sleep of the machine. */
  jump(ms: number): void {
    this.#now += ms
  }
}
