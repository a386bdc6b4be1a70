import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** What the command line says. */
export interface I2pBenchOptions {
  readonly rounds: number
  readonly downloadBytes: number
  readonly json: string | undefined
  readonly help: boolean
}

export const I2P_USAGE = `Usage: npm run bench:i2p -- [options]

  --rounds N   interleaved rounds (9)
  --mib N      size of the download (8)
  --json FILE  raw data and the environment`

/** Slips of the finger do not occupy a machine for a day. */
const LIMITS = { rounds: 50, mib: 64 } as const

/** Reads the command line; a {@link TypeError} or {@link RangeError} says what is wrong with it. */
export function parseI2pOptions(argv: readonly string[]): I2pBenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '9' },
      mib: { type: 'string', default: '8' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const whole = (name: keyof typeof LIMITS): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= 1 && value <= LIMITS[name]) return value
    throw new RangeError(`--${name} takes 1 to ${LIMITS[name]}`)
  }
  return {
    rounds: whole('rounds'),
    downloadBytes: whole('mib') << 20,
    json: values.json === undefined ? undefined : resolve(values.json),
    help: values.help,
  }
}
