import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** What the command line says. */
export interface OnionBenchOptions {
  readonly network: 'tor' | 'anon'
  readonly only: readonly string[]
  readonly rounds: number
  /** Added to each direction of every connection between a client's daemon and the network, in milliseconds. */
  readonly delayMs: number
  readonly downloadBytes: number
  readonly json: string | undefined
  readonly help: boolean
}

export const ONION_USAGE = `Usage: npm run bench:onion -- [options]

  --network NAME  tor (default) or anon
  --only NAMES    peers, separated by commas: raw,beam
  --rounds N      interleaved rounds, each peer once in each (7)
  --delay MS      added to each direction between the clients' daemons and their first hop (0)
  --mib N         size of the downloads (16)
  --json FILE     raw data and the environment`

/** Slips of the finger do not occupy a machine for a day. */
const LIMITS = { rounds: 50, delay: 1000, mib: 256 } as const

/** Reads the command line; a {@link TypeError} or {@link RangeError} says what is wrong with it. */
export function parseOnionOptions(argv: readonly string[]): OnionBenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      network: { type: 'string', default: 'tor' },
      only: { type: 'string', default: 'raw,beam' },
      rounds: { type: 'string', default: '7' },
      delay: { type: 'string', default: '0' },
      mib: { type: 'string', default: '16' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const whole = (name: keyof typeof LIMITS, least: number): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= least && value <= LIMITS[name]) return value
    throw new RangeError(`--${name} takes ${least} to ${LIMITS[name]}`)
  }
  const { network } = values
  if (network !== 'tor' && network !== 'anon') throw new RangeError('--network takes tor or anon')
  const only = values.only.split(',').map((name) => name.trim())
  for (const name of only) if (name !== 'raw' && name !== 'beam') throw new RangeError(`no peer "${name}"`)
  return {
    network,
    only,
    rounds: whole('rounds', 1),
    delayMs: whole('delay', 0),
    downloadBytes: whole('mib', 1) << 20,
    json: values.json === undefined ? undefined : resolve(values.json),
    help: values.help,
  }
}
