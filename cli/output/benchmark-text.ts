import type { BenchmarkNetwork, BenchmarkReport, BenchmarkSuccess } from '../../plugins/benchmark/index.ts'
import { digits, rateText, rowsOf, timeText, type Row } from './benchmark-figures.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { wrap } from './layout.ts'
import { labelled, table, type Column } from './table.ts'

/** Widest cell with a figure, and widest name. */
const FIGURE_COLUMNS = 15
const NAME_COLUMNS = 16

/** The report as tables for a terminal. */
export function benchmarkText(report: BenchmarkReport, width: number, paint: Colours): string {
  const rows = rowsOf(report)
  const { rounds, roundsDone, durationMs, ratePerSecond } = report.settings
  const head = `${roundsDone} of ${rounds} rounds, ${timeText(durationMs)} a network, ${ratePerSecond} requests per second in the open loop.`
  const sections = [
    section('How long it takes (median, 99th percentile)', latencyTable(rows, width, paint), paint),
    section('How much it carries, and what it costs', carryTable(rows, width, paint), paint),
    section('A cold start, once', setupTable(report.backends, width, paint), paint),
    section('What it hides', hidesTable(report.backends, width, paint), paint),
    section('Not measured', notMeasured(report.backends, width), paint),
    section('To know', list([...report.notes, ...remarks(report)], width), paint),
    section('Limits', verdictText(report, paint), paint),
  ]
  return `${head}\n${report.interrupted ? paint.yellow('Ended before its time: these are the figures until then.\n') : ''}${sections.join('')}`
}

function section(title: string, body: string, paint: Colours): string {
  return body === '' ? '' : `\n${paint.bold(title)}\n${body}`
}

const columns = (...titles: string[]): Column[] =>
  titles.map((title, index) => ({ title, max: index === 0 ? NAME_COLUMNS : FIGURE_COLUMNS }))

function latencyTable(rows: readonly Row[], width: number, paint: Colours): string {
  const cells = rows.map(({ name, figures }) => {
    const { firstByte, requests, transfers = {} } = figures ?? {}
    return [
      name,
      timeText(firstByte?.p50Ms),
      timeText(firstByte?.p99Ms),
      timeText(requests?.p50Ms),
      timeText(requests?.p99Ms),
      timeText(transfers['50KiB']?.p50Ms),
      timeText(transfers['1MiB']?.p50Ms),
      timeText(transfers['5MiB']?.p50Ms),
    ]
  })
  return table(columns('', 'byte 1', 'p99', 'request', 'p99', '50 KiB', '1 MiB', '5 MiB'), cells, width, paint)
}

function carryTable(rows: readonly Row[], width: number, paint: Colours): string {
  const cells = rows.map(({ name, figures }) => {
    const { goodput, success, cost } = figures ?? {}
    const daemons = cost?.daemonsMib ?? 0
    return [
      name,
      rateText(goodput?.down),
      rateText(goodput?.up),
      success === undefined ? '-' : successText(success),
      cost?.cpuSecondsPerGb === undefined ? '-' : `${digits(cost.cpuSecondsPerGb.median)} s/GB`,
      cost?.processMib === undefined ? '-' : `${digits(daemons)} MiB`,
    ]
  })
  return table(columns('', 'down', 'up', 'success', 'CPU', 'daemons'), cells, width, paint)
}

function successText({ attempted, share, timeouts }: BenchmarkSuccess): string {
  const late = timeouts === 0 ? '' : `, ${timeouts} late`
  // 99.96 % is not 100 %.
  return `${(Math.floor(share * 1_000) / 10).toFixed(share === 1 ? 0 : 1)}% of ${attempted}${late}`
}

function setupTable(networks: readonly BenchmarkNetwork[], width: number, paint: Colours): string {
  const cells = networks.flatMap(({ name, setup, path, version }) =>
    setup === undefined
      ? []
      : [
          [
            name,
            timeText(setup.networkUpMs),
            timeText(setup.publishedMs),
            timeText(setup.reachableMs),
            timeText(setup.firstByteMs),
            `${path === undefined ? '-' : `${path.kind}${path.hops === 0 ? '' : `, ${path.hops} hops`}`}${version === undefined ? '' : ` (${version})`}`,
          ],
        ],
  )
  return cells.length === 0 ? '' : table(columns('', 'network up', 'published', 'reached', 'first byte', 'path'), cells, width, paint)
}

function hidesTable(networks: readonly BenchmarkNetwork[], width: number, paint: Colours): string {
  const cells = networks.flatMap(({ name, hides }) => {
    if (hides === undefined) return []
    const { publisherIpHidden, visitorIpHidden, anonymity, censorshipResistance, publisherReveals, visitorReveals } = hides
    const whose = publisherIpHidden ? (visitorIpHidden ? 'both ends' : 'the publisher') : visitorIpHidden ? 'the visitor' : 'nobody'
    return [
      [name, whose, anonymity, censorshipResistance, foreignText([...new Set([...publisherReveals, ...visitorReveals])].join(' ')) || '-'],
    ]
  })
  if (cells.length === 0) return ''
  const titles = columns('', 'IP address of', 'anonymity', 'hard to block')
  return table([...titles, { title: 'what an address and connecting reveal', max: width }], cells, width, paint)
}

function notMeasured(networks: readonly BenchmarkNetwork[], width: number): string {
  const rows = networks.flatMap(({ name, problem, figures }): Array<readonly [string, string]> => {
    if (problem !== undefined) return [[name, foreignText(`${problem.message} (${problem.code}) ${problem.hint ?? ''}`)]]
    return figures === undefined ? [[name, 'Its turn did not come.']] : []
  })
  return rows.length === 0 ? '' : labelled(rows, width)
}

function remarks({ controls, backends, environment }: BenchmarkReport): string[] {
  const measured = backends.filter(({ figures }) => figures !== undefined)
  const failures = measured.flatMap(({ name, figures }) => {
    const reasons = Object.entries(figures?.success.failures ?? {}).map(([reason, count]) => `${count} × ${reason}`)
    return reasons.length === 0 ? [] : [`${name} failed: ${foreignText(reasons.join(', '))}.`]
  })
  const own = measured.filter(({ figures }) => figures?.cost.processes.length === 0 && figures.cost.notMeasurable === undefined)
  const blind = controls.flatMap(({ figures }) => figures.cost.notMeasurable ?? []).slice(0, 1)
  return [
    ...failures,
    ...backends.flatMap(({ name, warnings }) => warnings.map((warning) => `${name}: ${foreignText(warning)}`)),
    ...blind,
    ...(own.length === 0
      ? []
      : [`${own.map(({ name }) => name).join(', ')}: no process of its own was seen. A daemon that ran before is not counted.`]),
    ...(measured.length > 0 && blind.length === 0
      ? ['CPU counts this process with both ends, load and test service; what those take is the row “direct”.']
      : []),
    `Load of the machine: ${environment.loadBefore} before, ${environment.loadAfter} after, ${environment.cores} cores.`,
  ]
}

function list(lines: readonly string[], width: number): string {
  return lines.map((line) => `${wrap(`- ${line}`, width).join('\n  ')}\n`).join('')
}

function verdictText({ verdict }: BenchmarkReport, paint: Colours): string {
  return verdict.checks
    .map(({ backend, what, limit, value, passed }) => {
      const show = (given: number): string => (what === 'success' ? `${digits(given * 100)}%` : timeText(given))
      const said = what === 'success' ? `success at least ${show(limit)}` : `p99 of requests at most ${show(limit)}`
      return `${passed ? paint.green('kept  ') : paint.red('broken')}  ${backend}: ${said}; ${value === undefined ? 'not measured' : `measured ${show(value)}`}\n`
    })
    .join('')
}
