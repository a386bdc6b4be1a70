/** `npm run bench:onion`: Beam over a private onion network beside the daemon alone, in one run. docs/performance.md explains it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OnionNetwork, requireAnon, requireTor } from '../../helpers/onion-network/index.ts'
import { intoNamespace } from '../../live/namespaced.ts'
import { Children } from '../children.ts'
import { commitOf, describeEnvironment } from '../environment.ts'
import { startOrigin, startScript } from '../load/load-process.ts'
import { snapshot } from '../snapshot.ts'
import { tidied } from '../tidied.ts'
import { beamPeer } from './beam-peer.ts'
import type { OnionValues } from './figures.ts'
import { OnionMeter } from './measure.ts'
import { ONION_USAGE, parseOnionOptions, type OnionBenchOptions } from './options.ts'
import type { OnionPeer } from './peer.ts'
import { rawPeer } from './raw-peer.ts'
import { circuitLines, onionTable } from './report.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const DELAY_PROXY = fileURLToPath(new URL('delay-proxy.ts', import.meta.url))
/** Set in the process that runs in the namespace. */
const INSIDE = 'BEAM_BENCH_INSIDE'

async function main(options: OnionBenchOptions): Promise<void> {
  const flavor = options.network === 'tor' ? requireTor() : requireAnon()
  if (flavor === undefined) throw new Error(`the bench needs ${options.network}`)
  const build = join(ROOT, 'test', '.tmp', `bench-onion-${process.pid}`)
  const folder = mkdtempSync(join(tmpdir(), 'beam-bench-'))
  const children = new Children()
  mkdirSync(build, { recursive: true })
  let network: OnionNetwork | undefined
  const work = async (): Promise<void> => {
    const beam = beamPeer(`this checkout, ${commitOf(ROOT)}`, snapshot(ROOT, join(build, 'beam')))
    const peers = [rawPeer(), beam].filter(({ name }) => options.only.includes(name))
    const environment = describeEnvironment(ROOT, 'Node')
    console.log(`${environment.cpu}, ${environment.cores} cores, ${environment.kernel}, Node ${environment.node}`)
    console.log(`commit ${environment.commit}, load ${environment.load.toFixed(1)}, ${options.network}, added delay ${options.delayMs} ms`)
    console.log(process.env[INSIDE] === undefined ? 'plain loopback' : 'a network namespace without delayed acknowledgements')
    network = await OnionNetwork.start(flavor)
    const torrc = [...network.torrc, ...(await delayLines(options, children))]
    const origin = await startOrigin(children)
    const rounds: Record<string, OnionValues[]> = Object.fromEntries(peers.map(({ name }) => [name, []]))
    for (let round = 1; round <= options.rounds; round++) {
      const begin = performance.now()
      const meters = await oneRound(
        options,
        peers,
        (peer) => ({ network: network!, torrc, origin, folder: join(folder, `${peer.name}-${round}`) }),
        round,
      )
      for (const { peer, values } of meters) rounds[peer.name]?.push(values)
      console.error(`round ${round} of ${options.rounds}: ${Math.round((performance.now() - begin) / 1000)} s`)
    }
    console.log(`\nMedian of ${options.rounds} rounds (least..most)\n`)
    for (const line of [...onionTable(rounds), '', ...circuitLines(rounds)]) console.log(line)
    console.log(`load at the end ${(loadavg()[0] ?? NaN).toFixed(1)}`)
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ environment, options, rounds }, undefined, 1)}\n`)
  }
  await tidied(work, async () => {
    await children.stop()
    await network?.[Symbol.asyncDispose]()
    for (const made of [build, folder]) rmSync(made, { recursive: true, force: true })
  })
}

/** One step of all peers after the other, beginning with another one each round. A failure costs the value only, and is said. */
async function oneRound(
  options: OnionBenchOptions,
  peers: readonly OnionPeer[],
  context: (peer: OnionPeer) => ConstructorParameters<typeof OnionMeter>[1],
  round: number,
): Promise<OnionMeter[]> {
  const meters = peers.map((_, index) => {
    const peer = peers[(index + round) % peers.length]!
    return new OnionMeter(peer, context(peer))
  })
  const steps = meters.map((meter) => [...meter.steps, ...meter.downloads(options.downloadBytes)])
  try {
    for (let step = 0; step < (steps[0]?.length ?? 0); step++) {
      for (const [index, meter] of meters.entries()) {
        try {
          await steps[index]?.[step]?.()
        } catch (error) {
          console.error(`round ${round}, ${meter.peer.name}, step ${step + 1}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
    }
  } finally {
    await Promise.all(meters.map((meter) => meter.stop()))
  }
  return meters
}

/** Lines that lead a daemon's connections through a proxy that delays them. */
async function delayLines({ delayMs }: OnionBenchOptions, children: Children): Promise<string[]> {
  if (delayMs === 0) return []
  const child = await startScript(children, DELAY_PROXY, [String(delayMs)], true)
  const [, port] = await child.waitFor(/proxy (\d+)/)
  return [`Socks5Proxy 127.0.0.1:${port}`]
}

/** Runs this program again in a network namespace, where there are any; says whether it did. */
function runInside(): boolean {
  if (process.env[INSIDE] !== undefined) return false
  const [program, ...args] = intoNamespace()
  if (program === undefined) return false
  const command = [...args, process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  process.exitCode = spawnSync(program, command, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } }).status ?? 1
  return true
}

try {
  const options = parseOnionOptions(process.argv.slice(2))
  if (options.help) console.log(ONION_USAGE)
  else if (!runInside()) await main(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
