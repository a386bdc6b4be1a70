import { ConfigError } from '../../core/errors.ts'

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/**
 * Milliseconds of a duration as it is typed: `500ms`, `60s`, `1.5m`, `1h`; a number alone is seconds.
 * @throws ConfigError (`BEAM_ERR_USAGE`) when it is none, or not between the bounds (in milliseconds)
 */
export function parseDuration(text: string, flag: string, bounds: { readonly least: number; readonly most: number }): number {
  const [, number = '', unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text.trim()) ?? []
  const ms = Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (number === '')
    throw new ConfigError(`${flag} ${text}: a duration is needed.`, { code: 'BEAM_ERR_USAGE', hint: 'For example 500ms, 60s or 2m.' })
  if (ms >= bounds.least && ms <= bounds.most) return ms
  throw new ConfigError(`${flag} ${text}: it has to be from ${spelled(bounds.least)} to ${spelled(bounds.most)}.`, {
    code: 'BEAM_ERR_USAGE',
  })
}

/** The shortest way to type it. */
function spelled(ms: number): string {
  const unit = (['h', 'm', 's'] as const).find((one) => ms >= UNITS_MS[one] && ms % UNITS_MS[one] === 0) ?? 'ms'
  return `${ms / UNITS_MS[unit]}${unit}`
}
