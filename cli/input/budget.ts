import { ConfigError } from '../../core/errors.ts'
import type { PrivacyBudget } from '../../core/tunnels/choose.ts'
import { parseDuration } from './duration.ts'

/** Levels that can be asked for. */
export const WANTED_LEVELS = ['low', 'medium', 'high'] as const
type WantedLevel = (typeof WANTED_LEVELS)[number]

const RATES = { 'B/s': 1, 'kB/s': 1e3, 'MB/s': 1e6, 'GB/s': 1e9 } as const
const EXAMPLE = 'For example: --budget latency=2s,throughput=100kB/s,censorship=medium'

/**
 * What `--anonymity` and `--budget` ask for: parts of the form key=value.
 * @throws ConfigError (`BEAM_ERR_USAGE`)
 */
export function parseBudget(parts: readonly string[] = [], anonymity?: string): PrivacyBudget {
  const budget = parts.map((part) => entry(part.trim()))
  const named = anonymity === undefined ? [] : [{ anonymity: level('--anonymity', anonymity) }]
  const all = [...named, ...budget]
  const keys = all.flatMap((one) => Object.keys(one))
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) throw usage(`${twice} is asked for twice.`)
  return Object.assign({}, ...all) as PrivacyBudget
}

function entry(part: string): PrivacyBudget {
  const [, key = '', value = ''] = /^([a-z-]+)=(.+)$/.exec(part) ?? []
  switch (key) {
    case 'latency':
      return { latencyMs: parseDuration(value, '--budget latency', { least: 1, most: 3_600_000 }) }
    case 'throughput':
      return { throughput: rate(value) }
    case 'censorship':
      return { censorshipResistance: level('--budget censorship', value) }
    case 'anonymity':
      return { anonymity: level('--budget anonymity', value) }
    default:
      throw usage(`--budget ${part}: it knows latency, throughput, censorship and anonymity.`)
  }
}

function rate(text: string): number {
  const [, number = '', unit = 'B/s'] = /^(\d{1,9}(?:\.\d{1,3})?)((?:k|M|G)?B\/s)?$/.exec(text) ?? []
  const bytes = Number(number) * RATES[unit as keyof typeof RATES]
  if (number === '' || bytes <= 0) throw usage(`--budget throughput=${text}: bytes per second are needed, such as 100kB/s or 2MB/s.`)
  return bytes
}

function level(flag: string, text: string): WantedLevel {
  const known = WANTED_LEVELS.find((one) => one === text)
  if (known === undefined) throw usage(`${flag} ${text}: it may be ${WANTED_LEVELS.join(', ')}.`)
  return known
}

function usage(message: string): ConfigError {
  return new ConfigError(message, { code: 'BEAM_ERR_USAGE', hint: EXAMPLE })
}
