import { ConfigError } from '../../core/errors.ts'

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** What is kept of the past. */
const MOST_MS = 32 * UNITS_MS.d

/**
 * Milliseconds of a period as it is typed: `90m`, `24h`, `7d`.
 * @throws ConfigError (`BEAM_ERR_USAGE`)
 */
export function parsePeriod(text: string): number {
  const [, number = '', unit = 'h'] = /^(\d{1,4})(m|h|d)$/.exec(text.trim()) ?? []
  const ms = Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (number !== '' && ms >= UNITS_MS.m && ms <= MOST_MS) return ms
  throw new ConfigError(`--period ${text}: a period from 1m to 32d is needed.`, {
    code: 'BEAM_ERR_USAGE',
    hint: 'For example 90m, 24h or 7d. What is older than 32 days is not kept.',
  })
}
