import { ConfigError } from '../../core/errors.ts'

/**
 * A share from 0 to 1, typed as `99%` or `0.99`.
 * @throws ConfigError (`BEAM_ERR_USAGE`)
 */
export function parseShare(text: string, flag: string): number {
  const [, number = '', percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%)?$/.exec(text.trim()) ?? []
  const share = number === '' ? Number.NaN : Number(number) / (percent === undefined ? 1 : 100)
  if (share >= 0 && share <= 1) return share
  throw new ConfigError(`${flag} ${text}: a share is needed.`, { code: 'BEAM_ERR_USAGE', hint: 'For example 99% or 0.99.' })
}
