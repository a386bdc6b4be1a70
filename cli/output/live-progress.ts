import type { Progress } from '../../core/backend.ts'
import { colours } from './colours.ts'
import { wrap } from './layout.ts'
import type { LineTerminal, LiveLine } from './live-line.ts'
import { ProgressLine } from './progress-line.ts'

/** How often the time in the line goes on, in milliseconds. */
const TICK_MS = 1_000

/** Progress at a terminal: one line that changes, and above it what is to stay. */
export class LiveProgress {
  readonly #line: LiveLine
  readonly #stderr: LineTerminal
  readonly #onTick: () => void
  readonly #progress = new ProgressLine()
  /** What did not fit the line and was written above it. */
  readonly #spelled = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  /** @param onTick - called every second while something is on its way */
  constructor(line: LiveLine, stderr: LineTerminal, onTick: () => void = () => {}) {
    this.#line = line
    this.#stderr = stderr
    this.#onTick = onTick
  }

  /** Shows a report. A message that is too long for the line is written out above it, once. */
  report(key: string, label: string, progress: Progress): void {
    const now = performance.now()
    this.#progress.update(key, label, progress, now)
    if (!this.#progress.fits(key, this.#line.columns, now) && this.#spelled.get(key) !== progress.message) {
      this.#spelled.set(key, progress.message)
      this.#line.hide()
      const { dim } = colours(this.#stderr)
      for (const line of wrap(`${label}: ${progress.message}`, this.#line.columns)) this.#stderr.write(`${dim(line)}\n`)
    }
    this.#paint()
    this.#timer ??= setInterval(() => {
      this.#onTick()
      this.#paint()
    }, TICK_MS).unref()
  }

  /** Forgets what is no longer on its way. */
  done(prefix: string): void {
    this.#progress.remove(prefix)
    if (this.#progress.empty) this.#end()
  }

  /** Writes something that stays. */
  write(stream: LineTerminal, text: string): void {
    if (text === '') return
    this.#line.hide()
    stream.write(text)
    this.#paint()
  }

  #paint(): void {
    if (!this.#progress.empty) this.#line.show(colours(this.#stderr).dim(this.#progress.text(this.#line.columns, performance.now())))
  }

  #end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#line.hide()
  }
}
