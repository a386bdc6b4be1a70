import type { Colours } from './colours.ts'
import { wrap } from './layout.ts'

/** Space between two columns. */
const GAP = 2

/** One column of a table. */
export interface Column {
  readonly title: string
  /** Most characters; longer texts are broken into lines. The last column takes what is left. */
  readonly max: number
}

/** A table that fits: columns as wide as they must be, cells broken between words (and within words that are too long for their column). */
export function table(columns: readonly Column[], rows: ReadonlyArray<readonly string[]>, width: number, paint: Colours): string {
  const widths = widthsOf(columns, rows, width)
  const line = (cells: readonly string[], look: (text: string) => string = (text) => text): string => {
    const broken = cells.map((cell, index) => cut(cell, widths[index] ?? 1))
    const height = Math.max(...broken.map((lines) => lines.length))
    return Array.from({ length: height }, (_, at) =>
      look(
        broken
          .map((lines, index) => (lines[at] ?? '').padEnd(widths[index] ?? 0))
          .join(' '.repeat(GAP))
          .trimEnd(),
      ),
    ).join('\n')
  }
  return `${[
    line(
      columns.map(({ title }) => title),
      paint.bold,
    ),
    ...rows.map((row) => line(row)),
  ].join('\n')}\n`
}

function widthsOf(columns: readonly Column[], rows: ReadonlyArray<readonly string[]>, width: number): number[] {
  const needed = columns.map(({ title, max }, index) =>
    Math.min(max, Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0))),
  )
  const others = needed.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0)
  const last = columns.length - 1
  return needed.map((each, index) => (index === last ? Math.max(1, Math.min(each, width - others)) : each))
}

function cut(text: string, width: number): string[] {
  return wrap(text, width).flatMap((line) => {
    const pieces: string[] = []
    for (let at = 0; at < line.length; at += width) pieces.push(line.slice(at, at + width))
    return pieces.length === 0 ? [''] : pieces
  })
}

/** Labels and their texts, one below the other, the texts in one column. */
export function labelled(rows: ReadonlyArray<readonly [label: string, text: string]>, width: number): string {
  const indent = 2 + Math.max(0, ...rows.map(([label]) => label.length)) + GAP
  const lines = rows.map(([label, text]) => `  ${label}`.padEnd(indent) + wrap(text, width - indent).join(`\n${' '.repeat(indent)}`))
  return lines.map((line) => `${line}\n`).join('')
}
