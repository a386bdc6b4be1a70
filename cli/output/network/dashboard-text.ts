import type { PeriodFigures } from '../../network/answers.ts'
import type { Snapshot } from '../../network/ask.ts'
import type { CountryOf } from '../../network/geoip.ts'
import { distanceMs } from '../../network/figures.ts'
import { healthOf } from '../../network/health.ts'
import type { Colours } from '../colours.ts'
import { beside, cutLine } from './canvas.ts'
import { mapLines, marksOf, type MapPlace } from './map-text.ts'
import { peersText, type PeerRow } from './peers-text.ts'
import { chartLines } from './period-text.ts'
import { healthLines, relayedText } from './status-text.ts'
import { bytesText, countText, ownerText, shortId, timeText } from './words.ts'

/** What a frame shows. */
export interface Frame {
  readonly snapshot: Snapshot
  /** The last hour; undefined while it is not known. */
  readonly period?: PeriodFigures
  /** Bytes per second that are carried for others now, once two looks have been taken. */
  readonly bytesPerSecond?: number
  readonly now: number
  /** Tells countries, where the user gave a database. */
  readonly countryOf?: CountryOf | undefined
}

/** How large the terminal is. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/** From so many columns on the map stands beside the health. */
const WIDE = 100
/** A map of fewer lines tells nothing. */
const LEAST_MAP_ROWS = 7

/** Where peers are, as far as the node and they know it. */
export function placesOf({ peers }: Snapshot, countryOf?: CountryOf): MapPlace[] {
  return peers.flatMap(({ id, coordinate, latencyMs, host }) => {
    const country = host === undefined ? undefined : countryOf?.(host)
    if (coordinate === undefined) return []
    return [{ id, coordinate, ...(latencyMs === undefined ? {} : { latencyMs }), ...(country === undefined ? {} : { country }) }]
  })
}

/** One frame of `beam network dashboard`: health, map, the last hour, peers; as many lines as fit. */
export function dashboardLines(frame: Frame, { columns, rows }: Size, paint: Colours): string[] {
  const { snapshot, period, now } = frame
  const { status } = snapshot
  const health = healthOf(snapshot)
  const wide = columns >= WIDE && rows >= 16
  const left = wide ? Math.floor(columns / 2) - 1 : columns
  const own = status.coordinate
  const mapRows = wide ? Math.max(health.checks.length + 2, Math.floor(rows / 2) - 3) : rows >= 34 ? 11 : 0
  const map =
    own === undefined || mapRows === 0
      ? []
      : mapLines(own, placesOf(snapshot), { columns: wide ? columns - left - 2 : columns, rows: mapRows }, paint)
  const checks = [paint.bold(`Health: ${health.verdict}`), ...healthLines(health.checks, left, paint).flatMap((line) => line.split('\n'))]
  const chart = period === undefined ? [] : chartLines(period, Math.min(columns, WIDE))
  const lines = [
    ...headLines(frame, now, paint),
    '',
    ...(wide ? beside(checks, map, left) : [...checks, ...(map.length === 0 ? [] : ['', ...map])]),
    ...(chart.length === 0 ? [] : ['', paint.bold('The last hour'), ...chart]),
    '',
    ...peersLines(frame, columns, map.length > 0, paint),
  ]
  return fitted(lines, { columns, rows })
}

/** One frame of `beam network watch`: figures, the map where there is room, peers. */
export function watchLines(frame: Frame, { columns, rows }: Size, paint: Colours): string[] {
  const { snapshot, now } = frame
  const head = headLines(frame, now, paint)
  const own = snapshot.status.coordinate
  const room = rows - head.length - Math.min(snapshot.peers.length, Math.floor(rows / 3)) - 3
  const map = own === undefined || room < LEAST_MAP_ROWS ? [] : mapLines(own, placesOf(snapshot), { columns, rows: room }, paint)
  return fitted([...head, '', ...map, ...(map.length === 0 ? [] : ['']), ...peersLines(frame, columns, map.length > 0, paint)], {
    columns,
    rows,
  })
}

function peersLines({ snapshot, countryOf }: Frame, columns: number, marked: boolean, paint: Colours): string[] {
  const own = snapshot.status.coordinate
  const marks = marked ? marksOf(placesOf(snapshot)) : new Map<string, string>()
  const rows = snapshot.peers.map((peer): PeerRow => {
    const [mark, country] = [marks.get(peer.id), peer.host === undefined ? undefined : countryOf?.(peer.host)]
    return {
      ...peer,
      ...(mark === undefined ? {} : { mark }),
      ...(country === undefined ? {} : { country }),
      ...(own === undefined || peer.coordinate === undefined ? {} : { distanceMs: distanceMs(own, peer.coordinate) }),
    }
  })
  return peersText(rows, columns, paint, { geo: countryOf !== undefined })
    .trimEnd()
    .split('\n')
}

function headLines({ snapshot: { owner, status, peers }, bytesPerSecond }: Frame, now: number, paint: Colours): string[] {
  const { id = '', participation = '', startedAt, relayed } = status
  const up = startedAt === undefined ? '' : `, up ${timeText(now - startedAt)}`
  const rate = bytesPerSecond === undefined ? '' : `, ${bytesText(bytesPerSecond)}/s now`
  return [
    `${status.running ? paint.green('●') : paint.yellow('○')} ${paint.bold(status.running ? `Node ${shortId(id)}` : 'No node is up')} ${participation}${up}  ${paint.dim(`${ownerText(owner)}; q ends`)}`,
    `  ${countText(peers.length, 'peer')}, ${countText(status.heard ?? 0, 'node')} heard of, ${countText(status.records ?? 0, 'record')}`,
    ...(relayed === undefined ? [] : [`  for others: ${relayedText(relayed)}${rate}`]),
  ]
}

/** No line wider and no more lines than the terminal has; what is left out at the end is said. */
function fitted(lines: readonly string[], { columns, rows }: Size): string[] {
  const cut = lines.map((line) => cutLine(line, columns))
  return cut.length <= rows ? cut : [...cut.slice(0, rows - 1), cutLine(`… ${cut.length - rows + 1} more lines`, columns)]
}
