import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chooseFigures, type Figure } from './figures.ts'

/** How much load one measurement makes. Everything is bounded in count and in time. */
export interface Amounts {
  /** Bytes of one bulk transfer. */
  readonly bulkBytes: number
  /** Duration of the closed loops for requests and for connections. */
  readonly loopSeconds: number
  /** Connections of the closed loops. */
  readonly inFlight: number
  /** New connections in sequence for the time to first byte. */
  readonly firstBytes: number
  /** Idle connections that are opened first, not counted: what a process takes once. */
  readonly idleBase: number
  /** Idle connections that are counted. */
  readonly idle: number
  /** Connections open at the same time, all of which must echo. */
  readonly crowd: number
}

const FULL: Amounts = { bulkBytes: 256 << 20, loopSeconds: 2, inFlight: 32, firstBytes: 400, idleBase: 100, idle: 500, crowd: 1000 }
const QUICK: Amounts = { bulkBytes: 64 << 20, loopSeconds: 1, inFlight: 32, firstBytes: 100, idleBase: 100, idle: 500, crowd: 1000 }

/** Most rounds of one run, so that a slip of the finger does not occupy a machine for a day. */
const MAX_ROUNDS = 50

/** What the command line says. */
export interface Options {
  readonly figures: readonly Figure[]
  /** Names of peers; all that can run when `undefined`. */
  readonly only: readonly string[] | undefined
  readonly rounds: number
  readonly amounts: Amounts
  readonly json: string | undefined
  /** Another checkout of Beam, measured beside this one. */
  readonly against: string | undefined
  /** Folder for CPU profiles of Beam. */
  readonly profile: string | undefined
  readonly help: boolean
}

export const USAGE = `Usage: npm run bench -- [options]
       npm run bench -- paths [--rounds N] [--json FILE]   several paths at once: goodput and fail-over
       npm run bench -- discovery [--nodes 100,300] [--repeats N] [--json FILE]   joining, registering, finding
       npm run bench -- relay [--rounds N] [--mib N] [--json FILE]   ways through one relay and two

  --only NAMES     peers, separated by commas: direct,pipe,tls,ssh,ssh-aes,stunnel,beam,other
  --figures NAMES  figures or their first word, for example cpu,ttfb,requests
  --rounds N       interleaved rounds (5; 3 with --quick)
  --quick          a quarter of the load, for a look while changing code
  --against DIR    another checkout of Beam as the peer "other"
  --profile DIR    CPU profiles of Beam (cpuprofile; they cost some speed)
  --json FILE      raw data and the environment`

/** Reads the command line; a {@link TypeError} or {@link RangeError} says what is wrong with it. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      figures: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const rounds = values.rounds === undefined ? (values.quick ? 3 : 5) : Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) throw new RangeError(`--rounds takes 1 to ${MAX_ROUNDS}`)
  return {
    figures: chooseFigures(list(values.figures)),
    only: list(values.only),
    rounds,
    amounts: values.quick ? QUICK : FULL,
    json: path(values.json),
    against: path(values.against),
    profile: path(values.profile),
    help: values.help,
  }
}

function list(text: string | undefined): string[] | undefined {
  return text?.split(',').map((name) => name.trim())
}

function path(text: string | undefined): string | undefined {
  return text === undefined ? undefined : resolve(text)
}
