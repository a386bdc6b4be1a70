/** Lets a limited number of tasks run at once; the others wait in the order in which they came. */
export class Gate {
  readonly #limit: number
  readonly #waiting: Array<() => void> = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    // A task that ends hands its place to the next one, so that nobody can slip in between.
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
