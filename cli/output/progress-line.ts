import type { Progress } from '../../core/backend.ts'

/** Columns of the bar. */
const BAR_COLUMNS = 20
/** How long something takes before its time is shown, in milliseconds. */
const SHOW_TIME_AFTER_MS = 3_000

/** Something that is on its way. */
interface Entry {
  readonly label: string
  readonly since: number
  readonly progress: Progress
}

/** What is on its way, as one line that fits: `tor  ██████░░░░░░░░░░░░░░  30 %  Loading relay descriptors  0:12`. Pure. */
export class ProgressLine {
  readonly #entries = new Map<string, Entry>()

  /** Takes a report of something, first or next. */
  update(key: string, label: string, progress: Progress, now: number): void {
    this.#entries.set(key, { label, since: this.#entries.get(key)?.since ?? now, progress })
  }

  /** Forgets whatever begins so. */
  remove(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }

  get empty(): boolean {
    return this.#entries.size === 0
  }

  /** Whether its whole message can be read in the line. */
  fits(key: string, columns: number, now: number): boolean {
    const entry = this.#entries.get(key)
    return entry === undefined || (this.#entries.size === 1 && oneText(entry, columns, now).length <= columns)
  }

  text(columns: number, now: number): string {
    const entries = [...this.#entries.values()]
    const [first] = entries
    if (first === undefined) return ''
    const text = entries.length === 1 ? oneText(first, columns, now) : severalText(entries, now)
    if (text.length <= columns) return text
    // What does not fit was said above it.
    const brief = severalText(entries, now)
    return brief.length <= columns ? brief : `${brief.slice(0, Math.max(0, columns - 1))}…`
  }
}

/** With the bar where there is room for the message beside it. */
function oneText({ label, since, progress: { percent, message } }: Entry, columns: number, now: number): string {
  const time = timeText(now - since)
  if (percent === undefined) return `${label}  ${message}${time}`
  const figure = `${String(Math.round(percent)).padStart(3)} %`
  const full = Math.round((percent / 100) * BAR_COLUMNS)
  const withBar = `${label}  ${'█'.repeat(full)}${'░'.repeat(BAR_COLUMNS - full)} ${figure}  ${message}${time}`
  return withBar.length <= columns ? withBar : `${label}  ${figure}  ${message}${time}`
}

function severalText(entries: readonly Entry[], now: number): string {
  const parts = entries.map(
    ({ label, progress: { percent, phase } }) => `${label} ${percent === undefined ? phase : `${Math.round(percent)} %`}`,
  )
  return `${parts.join(' · ')}${timeText(now - Math.min(...entries.map(({ since }) => since)))}`
}

function timeText(ms: number): string {
  if (ms < SHOW_TIME_AFTER_MS) return ''
  const seconds = Math.floor(ms / 1_000)
  return `  ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
