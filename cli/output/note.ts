import type { Colours } from './colours.ts'
import { columnsOf, wrap } from './layout.ts'

/** Something that is told beside the results. */
export interface Note {
  readonly kind: 'Error' | 'Warning'
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  /** What failed on the way. */
  readonly attempts?: readonly string[]
}

/** Columns for notes: broken into lines at a terminal, one line each elsewhere, so that logs can be searched. */
export function noteColumns(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return stream.isTTY === true ? columnsOf(stream) : Infinity
}

/** An error or a warning with its code, and what to do about it. */
export function noteText({ kind, code, message, hint, attempts = [] }: Note, columns: number, paint: Colours): string {
  const text = `${kind} ${message} (${code})`
  // Messages of several lines (one for each mistake in a file) keep their lines.
  const lines = text.split('\n').flatMap((line) => wrap(line, columns))
  for (const attempt of attempts) lines.push(...indented(`- ${attempt}`, columns))
  if (hint !== undefined) lines.push(...hint.split('\n').flatMap((line) => indented(line, columns)))
  const colour = kind === 'Error' ? paint.red : paint.yellow
  return `${lines
    .join('\n')
    .replace(kind, colour(kind))
    .replace(`(${code})`, paint.dim(`(${code})`))}\n`
}

function indented(text: string, columns: number): string[] {
  return wrap(text, columns - 4).map((line, index) => (index === 0 ? `  ${line}` : `    ${line}`))
}
