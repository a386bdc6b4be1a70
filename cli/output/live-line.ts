/** What a terminal must be able to do for a line that changes. */
export interface LineTerminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Back to the first column, and erase to the end of the line (ECMA-48, CR and EL). */
const ERASE = '\r\u001B[K'
/** Columns of a terminal that does not say how many it has. */
const DEFAULT_COLUMNS = 80

/**
 * The last line of a terminal, written over again and again. Whoever writes something that is to stay hides it first. Where there is no
 * terminal it does nothing.
 */
export class LiveLine {
  readonly #terminal: LineTerminal
  readonly #able: boolean
  #shown = false

  constructor(terminal: LineTerminal, env: NodeJS.ProcessEnv = process.env) {
    this.#terminal = terminal
    this.#able = terminal.isTTY === true && env['TERM'] !== 'dumb'
  }

  /** Whether it can be shown at all. */
  get able(): boolean {
    return this.#able
  }

  /** Columns that a text may take: the last one is left free, so that no terminal begins a new line. */
  get columns(): number {
    return (this.#terminal.columns ?? DEFAULT_COLUMNS) - 1
  }

  /** Shows a text of one line, no longer than {@link columns}, in place of the one before. */
  show(text: string): void {
    if (!this.#able) return
    this.#shown = true
    this.#terminal.write(`${ERASE}${text}`)
  }

  /** Takes it away, so that something else can be written. */
  hide(): void {
    if (!this.#shown) return
    this.#shown = false
    this.#terminal.write(ERASE)
  }
}

/** The one of this process: there is one terminal, and errors are printed on it from elsewhere. */
export const liveLine = new LiveLine(process.stderr)
