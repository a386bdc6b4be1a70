/** `npm run bench -- relay`: what a way through one relay, and through two, gives beside the direct one. docs/nat.md has the figures. */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from '../../../plugins/benchmark/statistics.ts'
import { Children } from '../children.ts'
import { describeEnvironment } from '../environment.ts'
import { measureWay, startScene, type Way } from './measure.ts'

const WAYS = ['direct', 'one relay', 'two relays'] as const
/** Least share of the direct throughput. */
const TARGET_SHARES = [1, 0.4, 0.2] as const
const TARGET_FIRST_BYTE_MS = 500
const TARGET_ADDED_MS = 1
/** Most rounds and bytes: a round of the largest takes a minute. */
const MAX_ROUNDS = 50
const MAX_MIB = 1024

/** Measures the three ways in turn, `rounds` times, and prints medians beside the targets. */
export async function benchRelay(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string', default: '5' }, mib: { type: 'string', default: '128' }, json: { type: 'string' } },
  })
  const [rounds, mib] = [Number(values.rounds), Number(values.mib)]
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) throw new RangeError(`--rounds takes 1 to ${MAX_ROUNDS}`)
  if (!Number.isInteger(mib) || mib < 1 || mib > MAX_MIB) throw new RangeError(`--mib takes 1 to ${MAX_MIB}`)
  const environment = describeEnvironment(fileURLToPath(new URL('../../..', import.meta.url)), 'one process each')
  console.log(`${environment.cpu}, ${environment.cores} cores, Node ${environment.node}, commit ${environment.commit}`)
  console.log(`load ${environment.load.toFixed(1)}; relays without limits, each in a process of its own, on 127.0.0.1\n`)
  const children = new Children()
  const samples: Way[][] = WAYS.map(() => [])
  try {
    const scene = await startScene(children)
    for (let round = 1; round <= rounds; round++) {
      for (const [hops, name] of WAYS.entries()) {
        console.error(`round ${round}: ${name}`)
        samples[hops]?.push(await measureWay(scene, hops, mib << 20))
      }
    }
  } finally {
    await children.stop()
  }
  console.log('| way | MB/s | of direct, target | first byte ms, target | round trip ms | added ms, target |\n|---|---|---|---|---|---|')
  const of = (hops: number, figure: keyof Way): number => median((samples[hops] ?? []).map((way) => way[figure]))
  for (const [hops, name] of WAYS.entries()) {
    const [rate, trip] = [of(hops, 'bytesPerSecond'), of(hops, 'roundTripMs')]
    const share = median((samples[hops] ?? []).map((way, round) => way.bytesPerSecond / (samples[0]?.[round]?.bytesPerSecond ?? NaN)))
    const first = `${of(hops, 'firstByteMs').toFixed(1)}, < ${TARGET_FIRST_BYTE_MS}`
    const added = hops === 0 ? '' : `${(trip - of(0, 'roundTripMs')).toFixed(2)}, < ${TARGET_ADDED_MS}`
    console.log(
      `| ${name} | ${(rate / 1e6).toFixed(0)} | ${share.toFixed(2)}, ≥ ${TARGET_SHARES[hops]} | ${first} | ${trip.toFixed(2)} | ${added} |`,
    )
  }
  console.log(`\nmedians of ${rounds} rounds; load at the end ${(loadavg()[0] ?? NaN).toFixed(1)}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ environment, samples }, undefined, 1)}\n`)
}
