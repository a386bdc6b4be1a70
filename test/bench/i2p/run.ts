/**
 * `npm run bench:i2p`: Beam's tunnel over a private I2P network beside i2pd's own server tunnel, on the same router and in the same run.
 * docs/performance.md explains it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inI2pNamespace } from '../../helpers/i2p-network/namespace.ts'
import { I2pNetwork } from '../../helpers/i2p-network/network.ts'
import { Children } from '../children.ts'
import { commitOf, describeEnvironment } from '../environment.ts'
import { startOrigin } from '../load/load-process.ts'
import { snapshot } from '../snapshot.ts'
import { tidied } from '../tidied.ts'
import { measureOnce, type I2pValues } from './measure.ts'
import { I2P_USAGE, parseI2pOptions, type I2pBenchOptions } from './options.ts'
import { beamConnect, beamPublisher, i2pdServer, samPublisher, samVisitor, serverTunnel, type Way } from './ways.ts'
import { i2pTable } from './report.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** Set in the process that runs in the namespace. */
const INSIDE = 'BEAM_BENCH_INSIDE'

async function main(options: I2pBenchOptions): Promise<void> {
  mkdirSync(join(ROOT, 'test', '.tmp'), { recursive: true })
  // Not by the process's number: in its namespace that is the same in every run.
  const build = mkdtempSync(join(ROOT, 'test', '.tmp', 'bench-i2p-'))
  const folder = mkdtempSync(join(tmpdir(), 'beam-bench-'))
  const children = new Children()
  const network = new I2pNetwork(folder)
  const stopping: Array<() => unknown> = []
  const work = async (): Promise<void> => {
    const script = snapshot(ROOT, join(build, 'beam'))
    const environment = describeEnvironment(ROOT, 'Node')
    console.log(`${environment.cpu}, ${environment.cores} cores, ${environment.kernel}, Node ${environment.node}`)
    console.log(`commit ${commitOf(ROOT)}, load ${environment.load.toFixed(1)}; 4 routers, 2 of them floodfills; tunnels without hops`)
    const origin = await startOrigin(children)
    await network.start(serverTunnel(origin))
    const [serving, visiting] = network.routers
    const visitor = await samVisitor(visiting!.place.samPort)
    stopping.push(() => visitor.stop())
    const own = await i2pdServer(serving!)
    const forwarded = await samPublisher(serving!.place.samPort, origin)
    stopping.push(() => forwarded.stop())
    const published = await beamPublisher({ script, children, home: join(folder, 'publisher'), samPort: serving!.place.samPort, origin })
    const connected = await beamConnect({
      script,
      children,
      home: join(folder, 'connector'),
      samPort: visiting!.place.samPort,
      address: published,
    })
    const ways: readonly Way[] = [
      { name: 'i2pd', what: 'i2pd’s server tunnel, visited by plain SAM', dial: () => visitor.dial(own) },
      {
        name: 'forward',
        what: 'SAM’s STREAM FORWARD to the origin itself, visited by plain SAM',
        dial: () => visitor.dial(forwarded.address),
      },
      { name: 'beam', what: 'Beam’s tunnel, visited by plain SAM', dial: () => visitor.dial(published) },
      { name: 'beam-beam', what: 'Beam’s tunnel, visited by beam connect', dial: connected },
    ]
    for (const { name, what } of ways) console.log(`  ${name.padEnd(10)} ${what}`)
    // Warms everything up; its values are not kept.
    for (const way of ways) await attempt(way, { ...options, downloadBytes: 1 << 20 }, 0)
    const rounds: Record<string, Array<I2pValues | undefined>> = Object.fromEntries(ways.map(({ name }) => [name, []]))
    for (let round = 1; round <= options.rounds; round++) {
      const begin = performance.now()
      for (const index of ways.keys()) {
        const way = ways[(index + round) % ways.length]!
        rounds[way.name]?.push(await attempt(way, options, round))
      }
      console.error(`round ${round} of ${options.rounds}: ${Math.round((performance.now() - begin) / 1000)} s`)
    }
    console.log(`\nMedian of ${options.rounds} interleaved rounds (least..most); ratios to i2pd in the same round\n`)
    for (const line of i2pTable(rounds)) console.log(line)
    console.log(`load at the end ${(loadavg()[0] ?? NaN).toFixed(1)}`)
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ environment, options, rounds }, undefined, 1)}\n`)
  }
  await tidied(work, async () => {
    for (const stop of stopping) await stop()
    await children.stop()
    await network[Symbol.asyncDispose]()
    for (const made of [build, folder]) rmSync(made, { recursive: true, force: true })
  })
}

/** A failure costs the values of the round, and is said. */
async function attempt(way: Way, options: I2pBenchOptions, round: number): Promise<I2pValues | undefined> {
  try {
    return await measureOnce(way, options)
  } catch (error) {
    console.log(`round ${round}, ${way.name}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** Runs this program again in the namespace of the network; says whether it did. */
function runInside(): boolean {
  if (process.env[INSIDE] !== undefined) return false
  const [program, args] = inI2pNamespace([process.execPath, ...process.execArgv, ...process.argv.slice(1)], { prompt: true })
  process.exitCode = spawnSync(program, [...args], { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } }).status ?? 1
  return true
}

try {
  const options = parseI2pOptions(process.argv.slice(2))
  if (options.help) console.log(I2P_USAGE)
  else if (!runInside()) await main(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
