import { EXIT } from './report-error.ts'

/** How long an orderly end may take before the process ends anyway, in milliseconds: the promise is 5 seconds. */
const STOP_DEADLINE_MS = 4_500

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Why a command was asked to end. Not a failure: exit code 0. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * How long a command runs: until Ctrl-C, SIGTERM, SIGHUP, or until nobody reads its output any more. The first signal ends it in order
 * and within {@link STOP_DEADLINE_MS}, a second one at once.
 */
export class Lifetime implements Disposable {
  readonly #controller = new AbortController()
  readonly #undo: Array<() => void> = []

  constructor() {
    for (const name of SIGNALS) {
      const handler = (): void => (this.signal.aborted ? process.exit(EXIT.done) : this.end(name === 'SIGINT' ? 'interrupted' : name))
      process.on(name, handler)
      this.#undo.push(() => process.off(name, handler))
    }
    const onOutputError = (error: NodeJS.ErrnoException): void =>
      this.end(error.code === 'EPIPE' ? 'output closed' : `output failed: ${error.message}`)
    process.stdout.on('error', onOutputError)
    this.#undo.push(() => process.stdout.off('error', onOutputError).on('error', () => {}))
  }

  /** Fires when the command is to end; its reason is an {@link Interrupted}. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends it. */
  end(reason: string): void {
    if (this.signal.aborted) return
    this.#controller.abort(new Interrupted(reason))
    setTimeout(() => process.exit(EXIT.done), STOP_DEADLINE_MS).unref()
  }

  /** Resolves with the reason when the command is to end. */
  ended(): Promise<string> {
    const reason = (): string => (this.signal.reason as Interrupted).message
    if (this.signal.aborted) return Promise.resolve(reason())
    return new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(reason()), { once: true }))
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo()
  }
}
