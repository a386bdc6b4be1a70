/** `npm run bench -- paths`: what several paths give, and how fast they take over from one another. docs/performance.md explains it. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Faults } from '../../../core/testing/index.ts'
import { describeEnvironment } from '../environment.ts'
import { median } from '../../../plugins/benchmark/statistics.ts'
import { failoverOfConnection, failoverOfNew, goodput } from './measure.ts'
import { source } from './stage.ts'

const MIB = 1 << 20
/** What a shaped path carries each way, in bytes per second, and how long it takes. */
const RATE = 10_000_000
/** Most rounds: each takes about a minute. */
const MAX_ROUNDS = 20

/** One measured case: what it is, and the limit that it is held against. */
interface Case {
  readonly name: string
  readonly unit: string
  readonly target?: string
  run(port: number): Promise<number>
}

function shape(roundTripMs: number): Faults {
  return { bytesPerSecond: RATE, delayMs: roundTripMs / 4 }
}

/** The faults delay a chunk at both ends of the stream, each way: a quarter of the round trip each. */
const CASES: readonly Case[] = [
  { name: 'one path, round trip 20 ms', unit: 'MB/s', run: async (port) => (await goodput(port, [shape(20)], 32 * MIB)) / 1e6 },
  {
    name: 'two equal paths, round trip 20 ms',
    unit: 'MB/s',
    run: async (port) => (await goodput(port, [shape(20), shape(20)], 32 * MIB)) / 1e6,
  },
  {
    name: 'one path of 10 MB/s and one of 1 MB/s, 200 ms',
    unit: 'MB/s',
    run: async (port) => (await goodput(port, [shape(20), { bytesPerSecond: RATE / 10, delayMs: 50 }], 32 * MIB)) / 1e6,
  },
  ...[20, 100, 400].map((rtt) => ({
    name: `connection, round trip ${rtt} ms, a path falls silent`,
    unit: 'ms',
    target: rtt <= 100 ? '< 1000' : `< ${4 * rtt}`,
    run: (port: number) => failoverOfConnection(port, shape(rtt), { silent: true }, 24 * MIB),
  })),
  {
    name: 'connection, round trip 20 ms, a path breaks',
    unit: 'ms',
    target: '< 1000',
    run: (port) => failoverOfConnection(port, shape(20), { down: true }, 24 * MIB),
  },
  ...(['fallback', 'load-balance', 'multipath'] as const).flatMap((strategy) =>
    (['silent', 'down'] as const).map((fault) => ({
      name: `new connection to first byte, ${strategy}, path ${fault}`,
      unit: 'ms',
      target: '< 500',
      run: (port: number) => failoverOfNew(port, strategy, shape(20), { [fault]: true }),
    })),
  ),
]

/** Runs all cases, `rounds` times in turn, and prints medians with the extremes. */
export async function benchPaths(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { rounds: { type: 'string', default: '3' }, json: { type: 'string' } } })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) throw new RangeError(`--rounds takes 1 to ${MAX_ROUNDS}`)
  const environment = describeEnvironment(fileURLToPath(new URL('../../..', import.meta.url)), 'Node')
  console.log(
    `${environment.cpu}, ${environment.cores} cores, Node ${environment.node}, commit ${environment.commit}, load ${environment.load.toFixed(1)}`,
  )
  const { port, server } = await source()
  const samples = new Map(CASES.map(({ name }) => [name, [] as number[]]))
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const { name, run } of CASES) {
        console.error(`round ${round}: ${name}`)
        samples.get(name)?.push(await run(port))
      }
    }
  } finally {
    server.close()
  }
  console.log(`\nMedian of ${rounds} rounds (least to most)\n`)
  for (const { name, unit, target } of CASES) {
    const found = samples.get(name) ?? []
    const range = `${Math.min(...found).toFixed(1)} to ${Math.max(...found).toFixed(1)}`
    console.log(
      `${name.padEnd(52)} ${median(found).toFixed(1).padStart(7)} ${unit.padEnd(4)} (${range})${target === undefined ? '' : `   target ${target}`}`,
    )
  }
  const [one, two] = CASES.slice(0, 2).map(({ name }) => samples.get(name) ?? [])
  const ratios = (two ?? []).map((rate, index) => rate / (one?.[index] ?? NaN))
  console.log(
    `\ntwo equal paths give ${median(ratios).toFixed(2)} times one (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}), target >= 1.6`,
  )
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ environment, samples: Object.fromEntries(samples) }, undefined, 1)}\n`)
}
