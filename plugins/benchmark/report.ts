import { LatencyLog } from './latency-log.ts'
import type { BenchmarkCost, BenchmarkFigures, BenchmarkLatency, BenchmarkSpread, BenchmarkSuccess } from './report.generated.ts'
import type { Round } from './round.ts'
import { isApart, summarize, wilsonInterval, type Summary } from './statistics.ts'
import { Tally } from './tally.ts'

/** What is said where processes cannot be looked at. */
const NO_PROCESSES = 'This system has neither /proc nor ps, so CPU and memory are not known.'

/** The figures of one subject over its rounds. */
export function figuresOf(rounds: readonly Round[], memoryKind: 'pss' | 'rss' | undefined): BenchmarkFigures {
  const firstByte = latencyOf(rounds.map((round) => round.firstByte))
  const requests = latencyOf(rounds.map((round) => round.requests))
  const transfer = (size: keyof Round['transfers']): BenchmarkLatency | undefined =>
    latencyOf(rounds.map(({ transfers }) => transfers[size]))
  const [small, middle, large] = [transfer('50KiB'), transfer('1MiB'), transfer('5MiB')]
  const down = spreadOf(rounds.map((round) => round.downBytesPerSecond))
  const up = spreadOf(rounds.map((round) => round.upBytesPerSecond))
  return {
    success: successOf(rounds),
    ...(firstByte && { firstByte }),
    ...(requests && { requests }),
    transfers: { ...(small && { '50KiB': small }), ...(middle && { '1MiB': middle }), ...(large && { '5MiB': large }) },
    goodput: { ...(down && { down }), ...(up && { up }) },
    cost: costOf(rounds, memoryKind),
  }
}

function successOf(rounds: readonly Round[]): BenchmarkSuccess {
  const all = new Tally()
  for (const { tally } of rounds) all.add(tally)
  const { attempted, succeeded, timeouts, failures } = all
  return {
    attempted,
    succeeded,
    timeouts,
    failures: Object.fromEntries(failures),
    share: attempted === 0 ? 0 : succeeded / attempted,
    interval: [...wilsonInterval(succeeded, attempted)],
  }
}

function latencyOf(logs: readonly LatencyLog[]): BenchmarkLatency | undefined {
  const all = new LatencyLog()
  for (const log of logs) all.add(log)
  const distribution = all.distribution()
  const medians = spreadOf(logs.map((log) => log.at(50)))
  return distribution === undefined || medians === undefined ? undefined : { ...distribution, medians }
}

function spreadOf(given: ReadonlyArray<number | undefined>): BenchmarkSpread | undefined {
  const values = given.filter((value) => value !== undefined)
  if (values.length === 0) return undefined
  const { median, min, max } = summarize(values)
  return { median, min, max, values }
}

function costOf(rounds: readonly Round[], memoryKind: 'pss' | 'rss' | undefined): BenchmarkCost {
  if (memoryKind === undefined) return { processes: [], notMeasurable: NO_PROCESSES }
  const usages = rounds.flatMap(({ usage }) => (usage === undefined ? [] : [usage]))
  const perGb = spreadOf(rounds.map((round) => round.cpuSecondsPerGb))
  const perRequest = spreadOf(rounds.map((round) => round.cpuMicrosecondsPerRequest))
  const mib = (values: readonly number[]): number => Math.max(...values) / 1024
  return {
    ...(perGb && { cpuSecondsPerGb: perGb }),
    ...(perRequest && { cpuMicrosecondsPerRequest: perRequest }),
    ...(usages.length > 0 && {
      daemonsMib: mib(usages.map(({ daemonsKib }) => daemonsKib)),
      processMib: mib(usages.map(({ processKib }) => processKib)),
      memoryKind,
    }),
    processes: [...new Set(usages.flatMap(({ names }) => names))].toSorted(),
  }
}

/** A network with its figures, as far as it has some. */
interface Measured {
  readonly name: string
  readonly figures?: BenchmarkFigures
}

/** Says of each pair of networks in which figures they do not differ by more than their rounds scatter. */
export function notApart(networks: readonly Measured[]): string[] {
  const kinds: ReadonlyArray<readonly [string, (figures: BenchmarkFigures) => BenchmarkSpread | undefined]> = [
    ['first byte', ({ firstByte }) => firstByte?.medians],
    ['requests', ({ requests }) => requests?.medians],
    ['download', ({ goodput }) => goodput.down],
    ['upload', ({ goodput }) => goodput.up],
  ]
  return networks.flatMap((a, index) =>
    networks.slice(index + 1).flatMap((b) => {
      const alike = kinds.filter(([, of]) => areAlike(a.figures && of(a.figures), b.figures && of(b.figures))).map(([what]) => what)
      return alike.length === 0 ? [] : [`${a.name} and ${b.name} differ by less than their rounds scatter: ${alike.join(', ')}.`]
    }),
  )
}

function areAlike(a: BenchmarkSpread | undefined, b: BenchmarkSpread | undefined): boolean {
  if (a === undefined || b === undefined) return false
  const summary = ({ values, ...rest }: BenchmarkSpread): Summary => ({ ...rest, rounds: values.length })
  return !isApart(summary(a), summary(b))
}
