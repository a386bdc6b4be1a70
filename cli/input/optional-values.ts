/**
 * The arguments with `-` (standard output) behind those of the named flags that stand there without a value, which oclif does not know:
 * `--html` at the end, or before another flag.
 */
export function optionalValues(argv: readonly string[], flags: readonly string[]): string[] {
  return argv.flatMap((word, index) => {
    const next = argv[index + 1]
    const lacks = flags.includes(word) && (next === undefined || (next.startsWith('-') && next !== '-'))
    return lacks ? [word, '-'] : [word]
  })
}
