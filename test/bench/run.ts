/** `npm run bench`: Beam beside other ways to carry a TCP connection, in one run on this machine. docs/performance.md explains it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commitOf, describeEnvironment } from './environment.ts'
import type { Figure } from './figures.ts'
import { parseOptions, USAGE, type Options } from './options.ts'
import { beam } from './peers/beam.ts'
import { direct, pipe, tls } from './peers/plain.ts'
import { ssh, sshAes } from './peers/ssh.ts'
import { stunnel } from './peers/stunnel.ts'
import { medianTable, ratioTable, targetTable, type Values } from './report.ts'
import { measureRounds, type Participant, type Sample } from './rounds.ts'
import { snapshot } from './snapshot.ts'
import { wrkInstalled } from './wrk.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Peers that run only when they are asked for. */
const ON_DEMAND = [sshAes.name]

async function main(options: Options): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc, so it runs on Linux only')
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  // Below the package, so that its dependencies are found; runtime folders elsewhere, since paths of sockets must be short.
  const build = join(ROOT, 'test', '.tmp', `bench-${process.pid}`)
  const folder = mkdtempSync(join(tmpdir(), 'beam-bench-'))
  mkdirSync(build, { recursive: true })
  try {
    const participants = choosePeers(options, build)
    const loops = wrkInstalled() ? 'wrk, 1 thread' : 'Node (wrk is not installed)'
    const environment = describeEnvironment(ROOT, loops)
    print(`${environment.cpu}, ${environment.cores} cores, ${environment.kernel}, Node ${environment.node}`)
    print(`commit ${environment.commit}, load ${environment.load.toFixed(1)}, loops by ${loops}`)
    for (const { peer } of participants) print(`  ${peer.name.padEnd(8)} ${peer.what}`)
    const report = (line: string): void => console.error(line)
    const samples = await measureRounds({ options, participants, folder, signal: stopping.signal, report })
    const names = participants.map(({ peer }) => peer.name)
    if (stopping.signal.aborted) print('\nInterrupted: what follows is not complete.')
    show(options, names, samples)
    print(`load at the end ${(loadavg()[0] ?? NaN).toFixed(1)}`)
    const { figures, rounds, amounts } = options
    const data = { environment: { ...environment, loadAtEnd: loadavg()[0] }, peers: names, figures, rounds, amounts, samples }
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(data, undefined, 1)}\n`)
  } finally {
    rmSync(build, { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true })
  }
  if (stopping.signal.aborted) process.exitCode = 130
}

function choosePeers({ only, against, figures, profile }: Options, build: string): Participant[] {
  const script = snapshot(ROOT, join(build, 'beam'))
  const participants: Participant[] = [direct, pipe, tls, ssh, sshAes, stunnel].map((peer) => ({ peer }))
  participants.push({ peer: beam('beam', `this checkout, ${commitOf(ROOT)}`, script, profile), script })
  if (against !== undefined) {
    const other = snapshot(against, join(build, 'other'))
    participants.push({ peer: beam('other', `${against}, ${commitOf(against)}`, other, profile), script: other })
  }
  for (const name of only ?? []) if (!participants.some(({ peer }) => peer.name === name)) throw new RangeError(`no peer "${name}"`)
  const wanted = participants.filter(({ peer: { name } }) => (only === undefined ? !ON_DEMAND.includes(name) : only.includes(name)))
  const startUpOnly = figures.every(({ measurement }) => measurement === 'start-up')
  return wanted.filter(({ peer, script }) => {
    const missing = peer.missing()
    if (missing !== undefined) print(`  ${peer.name.padEnd(8)} left out: ${missing} is missing`)
    return missing === undefined && (script !== undefined || !startUpOnly)
  })
}

function show({ figures }: Options, names: readonly string[], samples: readonly Sample[]): void {
  const rounds = Math.max(0, ...samples.map(({ round }) => round))
  const values = ({ name, measurement }: Figure): Values =>
    new Map(
      names.map((peer) => {
        const found = samples.filter((sample) => sample.peer === peer && sample.measurement === measurement)
        return [peer, Array.from({ length: rounds }, (_, index) => found.find(({ round }) => round === index + 1)?.values[name])]
      }),
    )
  print(`\nMedian of ${rounds} rounds, ± half of the range between the extremes\n`)
  for (const line of medianTable(figures, names, values)) print(line)
  if (names.includes('beam') && names.includes('other')) {
    print('other as multiples of beam in the same round: median (least..most)\n')
    for (const line of ratioTable(figures, 'other', 'beam', values)) print(line)
    print('')
  }
  for (const peer of names.filter((name) => name === 'beam' || name === 'other')) {
    print(`Targets of ${peer}: ratios to ssh in the same round (x), or values of its own\n`)
    const lines = targetTable(figures, peer, ssh.name, values)
    for (const line of lines) print(line)
    if (lines.some((line) => line.endsWith('differs'))) print('differs: the target was reached in some rounds and not in others')
    print('')
  }
  const checked = samples.filter(({ measurement, error }) => measurement === 'check' && error === undefined).map(({ peer }) => peer)
  if (checked.length > 0) print(`SHA-256 of 64 MiB each way agreed: ${checked.join(', ')}`)
  const failures = samples.filter(({ error }) => error !== undefined)
  print(failures.length === 0 ? 'No measurement failed.' : `${failures.length} measurements failed:`)
  for (const { round, peer, measurement, error } of failures) print(`  round ${round}, ${peer}, ${measurement}: ${error}`)
}

function print(line: string): void {
  console.log(line)
}

try {
  const [suite, ...rest] = process.argv.slice(2)
  if (suite === 'paths') {
    await (await import('./paths/run.ts')).benchPaths(rest)
  } else if (suite === 'discovery') {
    await (await import('./discovery/run.ts')).benchDiscovery(rest)
  } else if (suite === 'relay') {
    await (await import('./relay/run.ts')).benchRelay(rest)
  } else {
    const options = parseOptions(process.argv.slice(2))
    if (options.help) print(USAGE)
    else await main(options)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
