import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { BenchmarkNetwork, BenchmarkReport } from '../../plugins/benchmark/index.ts'
import { digits, rateText, rowsOf, timeText, type Row } from './benchmark-figures.ts'
import { PAGE_SCRIPT, PAGE_STYLE } from './benchmark-page.ts'
import { plotsOf, type Plot } from './benchmark-plots.ts'

/** The report as one HTML file that needs nothing else: plots drawn by uPlot, which is inside it, and tables. It may load nothing (CSP). */
export async function benchmarkHtml(report: BenchmarkReport): Promise<string> {
  const require = createRequire(import.meta.url)
  const [library, libraryStyle] = await Promise.all([
    readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'),
  ])
  const rows = rowsOf(report)
  const plots = plotsOf(rows)
  const { rounds, roundsDone, durationMs, ratePerSecond, timeoutMs } = report.settings
  const { date, beam, node, system, cpu, cores, memoryGib, loadBefore, loadAfter } = report.environment
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Beam benchmark: ${escape(report.backends.map(({ name }) => name).join(', '))}</title>
<style>${libraryStyle}${PAGE_STYLE}</style>
</head>
<body>
<h1>Beam benchmark</h1>
<p class="soft">${escape(
    `${date}: ${roundsDone} of ${rounds} interleaved rounds, ${timeText(durationMs)} for each network, ${ratePerSecond} requests per second, limit ${timeText(timeoutMs)}. Beam ${beam}, Node.js ${node}, ${system}, ${cpu}, ${cores} cores, ${digits(memoryGib)} GiB; load ${loadBefore} before, ${loadAfter} after.`,
  )}</p>
${report.interrupted ? '<p class="bad">Ended before its time: these are the figures until then.</p>' : ''}
${verdict(report)}
<h2>How long, how much</h2>
<div class="plots">${plots.map(figure).join('\n')}</div>
<h2>Figures</h2>
${figures(rows, report.backends)}
<h2>A cold start, once</h2>
${setup(report.backends)}
<h2>What it hides</h2>
<p>Milliseconds do not rank networks that do different things. This is what each says of itself.</p>
${hides(report.backends)}
${list('To know', [...report.notes, ...report.backends.flatMap(({ name, warnings }) => warnings.map((warning) => `${name}: ${warning}`))])}
<script type="application/json" id="plots">${inScript(JSON.stringify(plots))}</script>
<script>${library}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text of others as it may stand in HTML. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}

/** JSON that cannot end the script element around it. */
function inScript(json: string): string {
  return json.replaceAll('<', '\\u003c')
}

function figure({ id, title, subtitle }: Plot): string {
  return `<figure><figcaption>${escape(title)} <span>${escape(subtitle)}</span></figcaption><div id="${id}"></div></figure>`
}

/** A row of a table; with `reason` that text takes the place of all cells but the first. */
interface TableRow {
  readonly cells: readonly string[]
  readonly look?: string
  readonly reason?: string | undefined
}

/** `text` is the column that is aligned left and broken into lines. */
function table(titles: readonly string[], rows: readonly TableRow[], text = -1): string {
  const of = (tag: 'th' | 'td', cells: readonly string[]): string =>
    cells.map((cell, index) => `<${tag}${index === text ? ' class="text"' : ''}>${escape(cell)}</${tag}>`).join('')
  const body = rows.map(({ cells, look = '', reason }) => {
    const rest =
      reason === undefined
        ? of('td', cells)
        : `${of('td', cells.slice(0, 1))}<td class="text" colspan="${titles.length - 1}">${escape(reason)}</td>`
    return `<tr class="${look}">${rest}</tr>`
  })
  return `<div class="scroll"><table><thead><tr>${of('th', titles)}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

function figures(rows: readonly Row[], networks: readonly BenchmarkNetwork[]): string {
  const problems = new Map(networks.map(({ name, problem }) => [name, problem]))
  const measured = rows.map(({ name, kind, figures }): TableRow => {
    if (figures === undefined) return { cells: [name], reason: problems.get(name)?.message ?? 'Its turn did not come.' }
    const { firstByte, requests, transfers, goodput, success, cost } = figures
    const cells = [
      name,
      `${timeText(firstByte?.p50Ms)} / ${timeText(firstByte?.p99Ms)}`,
      `${timeText(requests?.p50Ms)} / ${timeText(requests?.p99Ms)}`,
      timeText(transfers['50KiB']?.p50Ms),
      timeText(transfers['1MiB']?.p50Ms),
      timeText(transfers['5MiB']?.p50Ms),
      rateText(goodput.down),
      rateText(goodput.up),
      `${success.succeeded} of ${success.attempted}`,
      cost.cpuSecondsPerGb === undefined ? '-' : `${digits(cost.cpuSecondsPerGb.median)} s/GB`,
      cost.daemonsMib === undefined ? '-' : `${digits(cost.daemonsMib)} MiB`,
    ]
    return { cells, look: kind === 'control' ? 'control' : '' }
  })
  const titles = ['', 'first byte p50 / p99', 'requests p50 / p99', '50 KiB', '1 MiB', '5 MiB', 'down', 'up', 'succeeded', 'CPU', 'daemons']
  return table(titles, measured)
}

function setup(networks: readonly BenchmarkNetwork[]): string {
  const rows = networks.flatMap(({ name, setup, path }) => {
    if (setup === undefined) return []
    const { networkUpMs, addressMs, publishedMs, reachableMs, firstByteMs } = setup
    return [{ cells: [name, ...[networkUpMs, addressMs, publishedMs, reachableMs, firstByteMs].map(timeText), path?.kind ?? '-'] }]
  })
  return table(['', 'network up', 'address known', 'published', 'reached end to end', 'first byte', 'path'], rows)
}

function hides(networks: readonly BenchmarkNetwork[]): string {
  const yes = (value: boolean): string => (value ? 'yes' : 'no')
  const rows = networks.flatMap(({ name, hides }) => {
    if (hides === undefined) return []
    const { publisherIpHidden, visitorIpHidden, anonymity, censorshipResistance, publisherReveals, visitorReveals } = hides
    const reveals = [...new Set([...publisherReveals, ...visitorReveals])].join(' ')
    return [{ cells: [name, yes(publisherIpHidden), yes(visitorIpHidden), anonymity, censorshipResistance, reveals] }]
  })
  return table(['', 'hides the publisher’s IP', 'hides the visitor’s IP', 'anonymity', 'hard to block', 'reveals'], rows, 5)
}

function verdict({ verdict }: BenchmarkReport): string {
  if (verdict.checks.length === 0) return ''
  const items = verdict.checks.map(({ backend, what, limit, value, passed }) => {
    const show = (given: number): string => (what === 'success' ? `${digits(given * 100)}%` : timeText(given))
    const said = what === 'success' ? `success at least ${show(limit)}` : `p99 of requests at most ${show(limit)}`
    return `<li class="${passed ? 'good' : 'bad'}">${escape(`${backend}: ${said}; ${value === undefined ? 'not measured' : `measured ${show(value)}`}`)}</li>`
  })
  return `<h2>Limits</h2><ul>${items.join('')}</ul>`
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `<h2>${escape(title)}</h2><ul>${lines.map((line) => `<li>${escape(line)}</li>`).join('')}</ul>`
}
