/** Longest text of a value in a message: enough to recognise it. */
const MAX_SHOWN = 60

/** A value from outside as it stands in a message: bounded, on one line. */
export function showValue(value: unknown): string {
  if (Array.isArray(value))
    return value.length === 0 ? 'an empty list' : `a list of ${value.length} ${value.length === 1 ? 'entry' : 'entries'}`
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'object') return 'a map'
  // JSON has no words for .nan and .inf, which YAML has.
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`
}

/** Most alternatives in one message. */
const MAX_LISTED = 24

/** Alternatives, as a list for people. */
export function listWords(words: readonly string[]): string {
  const shown = words.slice(0, MAX_LISTED).join(', ')
  return words.length > MAX_LISTED ? `${shown}, …` : shown
}
