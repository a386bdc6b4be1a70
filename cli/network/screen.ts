/** A terminal that is drawn over again and again. */
export interface ScreenTerminal {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

/** Keys, as a terminal in raw mode gives them. */
export interface ScreenKeys {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
  on(event: 'data', listener: (keys: Buffer) => void): unknown
  off(event: 'data', listener: (keys: Buffer) => void): unknown
  resume(): unknown
  pause(): unknown
}

/** The alternate screen without a cursor (xterm, and all that follow it), and back. */
const ENTER = '\u001B[?1049h\u001B[?25l'
const LEAVE = '\u001B[?25h\u001B[?1049l'
/** To the first column of the first line; erase to the end of the line, and of the screen (ECMA-48). */
const HOME = '\u001B[H'
const END_OF_LINE = '\u001B[K'
const END_OF_SCREEN = '\u001B[J'

/** The whole terminal, for a picture that changes. What stood there before comes back in the end. */
export class Screen implements Disposable {
  readonly #terminal: ScreenTerminal
  readonly #keys: ScreenKeys
  readonly #onKeys: (keys: Buffer) => void
  readonly #onResize: () => void

  /** @param quit - called for q, Escape and Ctrl-C; raw mode turns signals off */
  constructor(terminal: ScreenTerminal, keys: ScreenKeys, { quit, resized }: { readonly quit: () => void; readonly resized: () => void }) {
    this.#terminal = terminal
    this.#keys = keys
    this.#onResize = resized
    this.#onKeys = (data) => {
      const text = data.toString('latin1')
      if (text === 'q' || text === 'Q' || text === '\u001B' || text.includes('\u0003')) quit()
    }
    terminal.write(ENTER)
    terminal.on('resize', this.#onResize)
    if (keys.isTTY === true) {
      keys.setRawMode?.(true)
      keys.on('data', this.#onKeys)
      keys.resume()
    }
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#terminal.columns ?? 80, rows: this.#terminal.rows ?? 24 }
  }

  /** Draws lines that fit; what the picture before had beyond them goes. */
  draw(lines: readonly string[]): void {
    this.#terminal.write(`${HOME}${lines.map((line) => `${line}${END_OF_LINE}`).join('\r\n')}${END_OF_SCREEN}`)
  }

  [Symbol.dispose](): void {
    this.#terminal.off('resize', this.#onResize)
    if (this.#keys.isTTY === true) {
      this.#keys.off('data', this.#onKeys)
      this.#keys.setRawMode?.(false)
      this.#keys.pause()
    }
    this.#terminal.write(LEAVE)
  }
}
