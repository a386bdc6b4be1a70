import { stripVTControlCharacters } from 'node:util'

const ESCAPE = '\u001B'
/** Colour codes (ECMA-48, SGR), which take no room; the rest by characters. */
const PARTS = new RegExp(`${ESCAPE}\\[[0-9;]*m|[\\s\\S]`, 'gu')

/** One colouring, or none. */
export type Look = (text: string) => string

/** A grid of characters, each with its look; what lies outside is not drawn. */
export class Canvas {
  readonly columns: number
  readonly rows: number
  readonly #cells: Array<Array<{ readonly text: string; readonly look: Look | undefined }>>

  constructor(columns: number, rows: number) {
    this.columns = Math.max(0, columns)
    this.rows = Math.max(0, rows)
    this.#cells = Array.from({ length: this.rows }, () => Array.from({ length: this.columns }, () => ({ text: ' ', look: undefined })))
  }

  /** Draws characters of one column each from a place to the right. */
  draw(column: number, row: number, text: string, look?: Look): void {
    const cells = this.#cells[row]
    if (cells === undefined) return
    for (const [offset, character] of Array.from(text).entries()) {
      if (column + offset >= 0 && column + offset < this.columns) cells[column + offset] = { text: character, look }
    }
  }

  lines(): string[] {
    return this.#cells.map((cells) =>
      cells
        .map(({ text, look }) => (look === undefined ? text : look(text)))
        .join('')
        .trimEnd(),
    )
  }
}

/** Columns that a text takes on a terminal, colours apart. */
export function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length
}

/** Cuts a line, which may hold colours, to so many columns. */
export function cutLine(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line
  let left = Math.max(0, columns - 1)
  let cut = ''
  for (const [part] of line.matchAll(PARTS)) {
    if (part.startsWith(ESCAPE)) cut += part
    else if (left > 0) {
      cut += part
      left--
    }
  }
  return columns > 0 ? `${cut}…` : ''
}

/** Two blocks of lines side by side. */
export function beside(left: readonly string[], right: readonly string[], leftColumns: number): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => {
    const first = cutLine(left[row] ?? '', leftColumns)
    return `${first}${' '.repeat(leftColumns - widthOf(first))}  ${right[row] ?? ''}`.trimEnd()
  })
}
