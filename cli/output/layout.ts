/** Columns of a terminal whose width is not known. */
const DEFAULT_COLUMNS = 80
/** Lines of text longer than this are hard to read. */
const MAX_COLUMNS = 100
const MIN_COLUMNS = 40

/** How many columns text may take on a stream. */
export function columnsOf(stream: { readonly columns?: number }): number {
  return Math.min(Math.max(stream.columns ?? DEFAULT_COLUMNS, MIN_COLUMNS), MAX_COLUMNS)
}

/** Breaks text between words. A word that is longer than a line keeps its line: addresses must stay in one piece to be copied. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}

/** Columns that the labels of a list take, with the indent. */
const LABEL_COLUMNS = 12

/** An address under its label, or on a line of its own where it would not fit: it must stay in one piece to be copied. */
export function addressField(label: string, address: string, columns: number, paint: (line: string) => string): string {
  if (address.length <= columns - LABEL_COLUMNS) return field(label, address, columns, paint)
  return `  ${label}\n${paint(address)}\n`
}

/** A label and its text, continued in the same column: `  Access    Anybody …`. */
export function field(label: string, text: string, columns: number, paint: (line: string) => string = (line) => line): string {
  const indent = ' '.repeat(LABEL_COLUMNS)
  const lines = wrap(text, columns - LABEL_COLUMNS).map((line) => paint(line))
  return `${`  ${label}`.padEnd(LABEL_COLUMNS)}${lines.join(`\n${indent}`)}\n`
}
