/** Words, `KEY=value` pairs and quoted strings inside the lines of the control protocol (control-spec section 2.1.1). Pure. */

/** Text in quotes, `\` and `"` escaped, as passwords are sent. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** What stands between the quotes of a C string: `\n`, `\\`, `\303\244`. Octal escapes are bytes of UTF-8, as file names have them. */
export function unquote(inner: string): string {
  const latin1 = inner.replaceAll(/\\([0-7]{1,3}|[^])/g, (_, escaped: string) =>
    /^[0-7]/.test(escaped) ? String.fromCharCode(Number.parseInt(escaped, 8) & 0xff) : (ESCAPES[escaped] ?? escaped),
  )
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** A line taken apart. */
export interface Fields {
  /** The words that are no pairs, in order. */
  readonly words: readonly string[]
  /** The pairs; a key that comes twice has its last value. */
  readonly pairs: Readonly<Record<string, string>>
}

const FIELD = /\s*(?:([A-Za-z0-9_.\-/]+)=)?(?:"((?:[^"\\]|\\[^])*)"|(\S+))/y

/** Takes a line such as `NOTICE BOOTSTRAP PROGRESS=75 SUMMARY="Loaded enough"` apart. What is no field ends the search. */
export function parseFields(line: string): Fields {
  const words: string[] = []
  const pairs: Record<string, string> = Object.create(null) as Record<string, string>
  FIELD.lastIndex = 0
  for (let match = FIELD.exec(line); match !== null; match = FIELD.exec(line)) {
    const [, key, quoted, plain] = match
    const value = quoted === undefined ? (plain ?? '') : unquote(quoted)
    if (key === undefined) words.push(value)
    else pairs[key] = value
  }
  return { words, pairs }
}
