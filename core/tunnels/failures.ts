import { BackendUnavailableError, InternalError } from '../errors.ts'

/** Why the backends of a tunnel could not be used: the last reason of each. */
export class Failures {
  readonly #last = new Map<string, unknown>()

  /** Notes a failure; false when it says what the one before said. */
  isNews(backend: string, error: unknown): boolean {
    const before = this.#last.get(backend)
    this.#last.set(backend, error)
    return before === undefined || messageOf(before) !== messageOf(error)
  }

  of(backend: string): unknown {
    return this.#last.get(backend) ?? new InternalError(`${backend} failed without a word.`)
  }

  /** The error of a tunnel that no backend could publish: that of the only one, or all of them in one. */
  neverReady(backends: readonly string[], hint: string | undefined): unknown {
    const failures = backends.map((name) => ({ name, error: this.of(name) }))
    const [only] = failures
    if (only === undefined) return new InternalError('There is no backend left to publish on.')
    if (failures.length === 1 && hint === undefined) return only.error
    const message = failures.map(({ name, error }) => `${name}: ${messageOf(error)}`).join(' ')
    const cause = new AggregateError(
      failures.map(({ error }) => error),
      message,
    )
    return new BackendUnavailableError(`No backend could publish the tunnel. ${message}`, { cause, hint })
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
