/** Undoes what was started, last first. A failure in one step does not stop the others. */
export class CleanupStack implements AsyncDisposable {
  #steps: Array<() => unknown> = []

  /** Remembers how to undo what was just done. */
  defer(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Hands the steps over to a new stack and empties this one: what was built up is now owned by somebody else. */
  move(): CleanupStack {
    const next = new CleanupStack()
    next.#steps = this.#steps
    this.#steps = []
    return next
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'cleanup failed')
  }
}
