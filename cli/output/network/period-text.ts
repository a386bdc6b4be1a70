import type { PeriodFigures, Relayed, Stretch } from '../../network/answers.ts'
import type { HourFigures } from '../../network/hours.ts'
import type { Colours } from '../colours.ts'
import { labelled, table } from '../table.ts'
import { sparkline } from './sparkline.ts'
import { bytesText, countText, msText, percentText, timeText } from './words.ts'

/** Stretches into which a period is cut for bars: as many as a line of an ordinary terminal shows. */
export const STRETCHES = 56

/** Said where there is no history. */
const NOTHING = 'Nothing was measured in this time: a sample is taken every minute while a node of the mesh is up.\n'

/** `beam network stats`. */
export function statsText(period: PeriodFigures, columns: number, paint: Colours): string {
  const length = timeText(period.until - period.since)
  const head = `${paint.bold(`The last ${length}`)}, ${countText(period.samples, 'sample')}\n`
  if (period.samples === 0) return head + NOTHING
  const room = Math.max(10, columns - 2 - 10)
  return `${head}${labelled(periodRows(period), columns)}\n${chartLines(period, room)
    .map((line) => `  ${line}\n`)
    .join('')}`
}

/** The figures of a period. */
function periodRows({ since, until, oldest = since, upMs, ...period }: PeriodFigures): Array<readonly [string, string]> {
  const known = until - Math.max(since, Math.min(oldest, until))
  const { peers, latencyMs, discoverable, streams, bytes, refused } = period
  return [
    ['Up', `${timeText(upMs)}${known > 0 ? `, ${percentText(upMs / Math.max(known, upMs))} of the time that is on record` : ''}`],
    ...(peers === undefined ? [] : [['Peers', `${peers.mean.toFixed(1)} on average, from ${peers.least} to ${peers.most}`] as const]),
    ...(latencyMs === undefined
      ? []
      : [['Latency', `${msText(latencyMs.mean)} on average, from ${msText(latencyMs.least)} to ${msText(latencyMs.most)}`] as const]),
    ...(discoverable === undefined ? [] : [['Discovery', `ready in ${percentText(discoverable)} of the samples`] as const]),
    ['For others', `${countText(streams, 'route')}, ${bytesText(bytes)}${refused > 0 ? `, ${refused} refused` : ''}`],
  ]
}

/** The period as lines of bars, oldest on the left. */
export function chartLines(period: PeriodFigures, columns: number): string[] {
  const lines: ReadonlyArray<readonly [string, (stretch: Stretch) => number | undefined, (value: number) => string]> = [
    ['peers', ({ peers }) => peers, (value) => value.toFixed(0)],
    ['latency', ({ latencyMs }) => latencyMs, msText],
    ['relayed', ({ bytes, streams }) => (bytes > 0 || streams > 0 ? bytes : undefined), bytesText],
  ]
  return lines.flatMap(([label, of, text]) => {
    const values = spread(period, Math.min(STRETCHES, columns - 24), of)
    const known = values.filter((value) => value !== undefined)
    return known.length === 0 ? [] : [`${label.padEnd(9)}${sparkline(values)}  most ${text(Math.max(...known))}`]
  })
}

/** The stretches in so many columns; several that fall into one column count by their largest value. */
function spread(
  { since, until, buckets }: PeriodFigures,
  columns: number,
  of: (stretch: Stretch) => number | undefined,
): Array<number | undefined> {
  const room = Math.max(1, columns)
  const values = Array.from({ length: room }, (): number | undefined => undefined)
  for (const stretch of buckets) {
    const at = Math.min(room - 1, Math.floor(((stretch.at - since) / Math.max(1, until - since)) * room))
    const value = of(stretch)
    if (value !== undefined) values[at] = Math.max(values[at] ?? 0, value)
  }
  return values
}

/** `beam network my-stats`, in the form that the guide shows. */
export function myStatsText(
  period: PeriodFigures,
  running: ReadonlyArray<{ readonly participation?: string; readonly relayed?: Relayed }>,
  paint: Colours,
): string {
  const now = running.flatMap(({ relayed }) => relayed ?? [])
  const helped = now.reduce((sum, { peersHelped }) => sum + peersHelped, 0)
  const open = now.reduce((sum, { openStreams }) => sum + openStreams, 0)
  const known = period.until - Math.max(period.since, period.oldest ?? period.until)
  const rows: Array<readonly [string, string]> = [
    ['Routes Provided', `${period.streams}${open > 0 ? `, ${open} open now` : ''}`],
    ['Data Relayed', bytesText(period.bytes)],
    ...(period.samples === 0
      ? []
      : [['Uptime', `${percentText(period.upMs / Math.max(known, period.upMs, 1))} (${timeText(period.upMs)})`] as const]),
    ...(now.length === 0 ? [] : [['Peers Helped', `${helped} since the node came up`] as const]),
  ]
  const lines = rows.map(([label, text], index) => `${index === rows.length - 1 ? '└──' : '├──'} ${label}: ${text}\n`)
  const idle = running.length > 0 && running.every(({ relayed }) => relayed === undefined)
  const hint = !idle
    ? ''
    : running.every(({ participation }) => participation === 'light')
      ? '\nThis node carries nothing for others. To let it: beam config set p2p.participation routing\n'
      : '\nThis node takes part but relays nothing, as its settings say: beam network test-config\n'
  return `${paint.bold('Your Network Contribution')}, the last ${timeText(period.until - period.since)}:\n${lines.join('')}${hint}`
}

/** `beam network analytics`. */
export function analyticsText(
  { period, before, hours }: { readonly period: PeriodFigures; readonly before: PeriodFigures; readonly hours: readonly HourFigures[] },
  columns: number,
  paint: Colours,
): string {
  if (period.samples === 0) return NOTHING
  const length = timeText(period.until - period.since)
  const rows: Array<readonly [string, string]> = [
    ...change('Peers', period.peers?.mean, before.peers?.mean, (value) => value.toFixed(1)),
    ...change('Latency', period.latencyMs?.mean, before.latencyMs?.mean, msText),
    ...change('Up', period.upMs, before.samples === 0 ? undefined : before.upMs, timeText),
    ...change('Routes', period.streams, before.samples === 0 ? undefined : before.streams, String),
    ...change('Relayed', period.bytes, before.samples === 0 ? undefined : before.bytes, bytesText),
  ]
  const byHour =
    hours.length === 0 ? '' : `\n${paint.bold('By the hour of the day')} (this machine’s time)\n${hoursTable(hours, columns, paint)}`
  return `${paint.bold(`The last ${length} and the ${length} before`)}\n${labelled(rows, columns)}${byHour}`
}

function change(
  label: string,
  now: number | undefined,
  before: number | undefined,
  text: (value: number) => string,
): Array<readonly [string, string]> {
  if (now === undefined) return []
  if (before === undefined) return [[label, `${text(now)}; nothing on record of the time before`]]
  const share = before === 0 ? undefined : (now - before) / before
  return [
    [label, `${text(now)}, before ${text(before)}${share === undefined ? '' : ` (${share >= 0 ? '+' : ''}${(share * 100).toFixed(0)} %)`}`],
  ]
}

function hoursTable(hours: readonly HourFigures[], columns: number, paint: Colours): string {
  return table(
    [
      { title: 'HOUR', max: 6 },
      { title: 'SAMPLES', max: 8 },
      { title: 'PEERS', max: 6 },
      { title: 'LATENCY', max: 9 },
      { title: 'RELAYED', max: 10 },
    ],
    hours.map(({ hour, samples, peers, latencyMs, bytes }) => [
      `${String(hour).padStart(2, '0')}:00`,
      String(samples),
      peers?.toFixed(1) ?? '',
      latencyMs === undefined ? '' : msText(latencyMs),
      bytesText(bytes),
    ]),
    columns,
    paint,
  )
}
