import type { Progress } from '../../core/backend.ts'

/** Progress is told when the phase changes, or after this many percent: a few lines, not a running counter. */
const PERCENT_STEP = 25

/** Which reports of progress are worth a line that stays. */
export class ProgressNews {
  readonly #told = new Map<string, Progress>()
  readonly #last = new Map<string, Progress>()

  /** @param key - what is on its way: a tunnel on a network */
  isNews(key: string, progress: Progress): boolean {
    const { phase, percent = 0, message } = progress
    const [told, last] = [this.#told.get(key), this.#last.get(key)]
    this.#last.set(key, progress)
    // Something else is said of the same step: why it stands still.
    const explained = progress.percent !== undefined && last?.percent === percent && last.message !== message
    if (told !== undefined && told.phase === phase && percent < (told.percent ?? 0) + PERCENT_STEP && !explained) return false
    this.#told.set(key, progress)
    return true
  }
}

/** One report as a line without its end: `tor: Loading relay descriptors (45%)`. */
export function progressText(backend: string, { message, percent }: Progress): string {
  return `${backend}: ${message}${percent === undefined ? '' : ` (${Math.round(percent)}%)`}`
}
