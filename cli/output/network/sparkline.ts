const LEVELS = '▁▂▃▄▅▆▇█'

/** Values as a line of bars, from zero to the largest; a blank where there is none. */
export function sparkline(values: ReadonlyArray<number | undefined>): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0))
  return values
    .map((value) => {
      if (value === undefined) return ' '
      return LEVELS[most === 0 ? 0 : Math.min(LEVELS.length - 1, Math.floor((value / most) * LEVELS.length))] ?? ''
    })
    .join('')
}
