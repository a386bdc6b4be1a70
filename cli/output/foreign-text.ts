import { stripVTControlCharacters } from 'node:util'

/** Longest text of others that is shown in a table or list. */
const MAX_LENGTH = 1_000

/** Text that others wrote (packages, schemas, errors of plugins), made fit for a terminal: one line, no control characters, not endless. */
export function foreignText(text: string): string {
  const plain = stripVTControlCharacters(text.slice(0, MAX_LENGTH * 4))
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  return plain.length > MAX_LENGTH ? `${plain.slice(0, MAX_LENGTH)}…` : plain
}
