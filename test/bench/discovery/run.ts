/** `npm run bench -- discovery`: joining, registering and finding in a DHT on loopback. docs/discovery.md has the figures. */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { percentile } from '../../../plugins/benchmark/statistics.ts'
import { describeEnvironment } from '../environment.ts'
import { measureDiscovery, type Attempt, type Measured } from './measure.ts'

/** Sizes of networks: more nodes than this in one process measure the process. */
const MAX_NODES = 1000
const MAX_REPEATS = 1000

/** Longest time at the 95th percentile, in milliseconds, and least share of successes. */
const TARGETS_MS = { join: 1_000, registration: 500, discovery: 200 } as const
const TARGET_SUCCESS = 0.995

const FIGURES = ['join', 'registration', 'discovery'] as const

/** Measures what the command line asks for, and prints it beside the targets. */
export async function benchDiscovery(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { nodes: { type: 'string', default: '100,300' }, repeats: { type: 'string', default: '200' }, json: { type: 'string' } },
  })
  const sizes = values.nodes.split(',').map(Number)
  const repeats = Number(values.repeats)
  if (!sizes.every((size) => Number.isInteger(size) && size >= 8 && size <= MAX_NODES))
    throw new RangeError(`--nodes takes 8 to ${MAX_NODES}`)
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > MAX_REPEATS) throw new RangeError(`--repeats takes 1 to ${MAX_REPEATS}`)
  const environment = describeEnvironment(fileURLToPath(new URL('../../..', import.meta.url)), 'this process')
  console.log(`${environment.cpu}, ${environment.cores} cores, Node ${environment.node}, commit ${environment.commit}`)
  console.log(`load ${environment.load.toFixed(1)}; all nodes in one process, UDP on 127.0.0.1\n`)
  console.log('| nodes | state | what | p50 ms | p95 ms | target | succeeded |\n|---|---|---|---|---|---|---|')
  const results: Array<{ readonly nodes: number } & Measured> = []
  for (const nodes of sizes) {
    for (const measured of await measureDiscovery(nodes, repeats, (line) => console.error(line))) {
      results.push({ nodes, ...measured })
      for (const figure of FIGURES) console.log(row(nodes, measured, figure))
    }
  }
  console.log(`\nload at the end ${(loadavg()[0] ?? NaN).toFixed(1)}; target for successes: above ${TARGET_SUCCESS * 100} %`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ environment, results }, undefined, 1)}\n`)
}

function row(nodes: number, measured: Measured, figure: (typeof FIGURES)[number]): string {
  const attempts: readonly Attempt[] = measured[figure]
  const times = attempts.filter((attempt) => attempt !== undefined)
  const [p50, p95] = [0.5, 0.95].map((part) => (times.length === 0 ? '–' : percentile(times, part).toFixed(1)))
  const met = times.length > 0 && percentile(times, 0.95) < TARGETS_MS[figure] && times.length / attempts.length > TARGET_SUCCESS
  const target = `< ${TARGETS_MS[figure]}: ${met ? 'met' : 'missed'}`
  return `| ${nodes} | ${measured.state} | ${figure} | ${p50} | ${p95} | ${target} | ${times.length} of ${attempts.length} |`
}
