/**
 * `npm run bench:anonet`: Beam in a mesh of friends beside plain TCP through the same kind of links, in the same run. docs/performance.md
 * explains it.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ratios, summarize } from '../../../plugins/benchmark/statistics.ts'
import { transpiled } from '../../cli/transpiled.ts'
import { commitOf, describeEnvironment } from '../environment.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const USAGE = `Usage: npm run bench:anonet -- [options]

  --rounds N   interleaved rounds (9)
  --mib N      size of the download (64)
  --json FILE  raw data and the environment`
/** Slips of the finger do not occupy a machine for a day. */
const LIMITS = { rounds: 50, mib: 512 } as const
const WAYS = {
  bare: 'plain TCP through two links: wireguard-go and BIRD by hand',
  attached: 'the same mesh, Beam publishes; visited by plain TCP',
  'attached-both': 'the same mesh, Beam publishes; visited by beam connect',
  managed: 'the same ring kept by Beam; visited by beam connect',
} as const
const FIGURES = [
  { name: 'down', unit: 'MB/s', better: 'higher' },
  { name: 'ttfb', unit: 'ms', better: 'lower' },
] as const

type Rounds = Readonly<Record<keyof typeof WAYS, ReadonlyArray<{ readonly down: number; readonly ttfb: number }>>>

function main(): void {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      mib: { type: 'string', default: '64' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(USAGE)
  const whole = (name: keyof typeof LIMITS): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= 1 && value <= LIMITS[name]) return value
    throw new RangeError(`--${name} takes 1 to ${LIMITS[name]}`)
  }
  const environment = describeEnvironment(ROOT, 'Node')
  console.log(`${environment.cpu}, ${environment.cores} cores, ${environment.kernel}, Node ${environment.node}`)
  console.log(`commit ${commitOf(ROOT)}, load ${environment.load.toFixed(1)}; a ring of four in network namespaces`)
  for (const [name, what] of Object.entries(WAYS)) console.log(`  ${name.padEnd(14)} ${what}`)
  const rounds = play(whole('rounds'), whole('mib') << 20)
  console.log(`\nMedian of ${rounds.bare.length} interleaved rounds (least..most); ratios to bare in the same round\n`)
  for (const line of table(rounds)) console.log(line)
  console.log(`load at the end ${(loadavg()[0] ?? NaN).toFixed(1)}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ environment, rounds }, undefined, 1)}\n`)
}

/** Everything runs in namespaces of its own, and ends with them. */
function play(count: number, bytes: number): Rounds {
  const home = mkdtempSync(join(tmpdir(), 'beam-bench-'))
  const flags = [
    ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ]
  const scenario = fileURLToPath(new URL('scenario.mjs', import.meta.url))
  const args = [...flags, process.execPath, '--no-warnings', scenario, dirname(transpiled()), String(count), String(bytes)]
  try {
    const env = {
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      HOME: home,
      BEAM_P2P_BOOTSTRAP: 'none',
      BEAM_P2P_MDNS: 'off',
      BEAM_P2P_PORTMAP: 'off',
    }
    const { status, stdout } = spawnSync('unshare', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env })
    if (status !== 0) throw new Error(`the ring ended with ${status ?? 'a signal'}`)
    return JSON.parse(stdout) as Rounds
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function table(rounds: Rounds): string[] {
  return FIGURES.flatMap(({ name, unit, better }) => {
    const of = (way: keyof typeof WAYS): number[] => rounds[way].map((values) => values[name])
    const rows = (Object.keys(WAYS) as Array<keyof typeof WAYS>).map((way) => {
      const { median, min, max } = summarize(of(way))
      const own = `  ${way.padEnd(14)} ${short(median).padStart(7)} (${short(min)}..${short(max)})`
      if (way === 'bare') return own
      const ratio = summarize(ratios(of(way), of('bare')))
      return `${own.padEnd(42)} ${short(ratio.median)} x (${short(ratio.min)}..${short(ratio.max)})`
    })
    return [`${name}, ${unit} (${better} is better)`, ...rows, '']
  })
}

/** Three significant digits. */
function short(value: number): string {
  return Number(value.toPrecision(3)).toString()
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
