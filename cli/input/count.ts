import { ConfigError } from '../../core/errors.ts'

/** Most lines that can be asked for. */
const MAX_COUNT = 9_999

/**
 * A number of lines.
 * @throws ConfigError (`BEAM_ERR_USAGE`)
 */
export function parseCount(text: string, flag: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (count <= MAX_COUNT) return count
  throw new ConfigError(`${flag} ${text}: a whole number up to ${MAX_COUNT} is needed.`, { code: 'BEAM_ERR_USAGE' })
}
