import type { Path } from '../../core/powers.ts'
import type { ConnectEvent, PathReport } from '../../core/tunnels/events.ts'
import { formatTarget } from '../input/service-target.ts'
import type { Colours } from './colours.ts'
import { addressField, field } from './layout.ts'
import { noteText } from './note.ts'
import { progressText, type ProgressNews } from './progress-news.ts'

/** How the events of a connection are shown. */
export interface ConnectTextOptions {
  readonly paint: Colours
  readonly columns: number
  /** Columns for warnings and errors, which may go elsewhere. */
  readonly noteColumns: number
  /** The local address, warnings and errors only, and that the service is out of reach. */
  readonly quiet: boolean
  /** Which progress is told. */
  readonly news: ProgressNews
}

/** One event of a connection as text for people; empty when it is not worth a line. */
export function connectText(event: ConnectEvent, { paint, columns, noteColumns, quiet, news }: ConnectTextOptions): string {
  switch (event.event) {
    case 'listening': {
      const local = formatTarget(event)
      if (quiet) return `${local}\n`
      return [
        `\n${paint.green('●')} ${paint.bold(local)} is now the far service\n\n`,
        addressField('Address', event.address, columns, (line) => line),
        ...(event.paths ?? []).map((path, index) =>
          field(index === 0 ? 'Paths' : '', describeReport(path), columns, path.state === 'up' ? paint.green : undefined),
        ),
        ...(event.strategy === undefined ? [] : [field('Strategy', event.strategy, columns)]),
        ...(event.paths === undefined ? [field('Path', describePath(event.path), columns, paint.green)] : []),
        ...event.reveals.map((sentence, index) => field(index === 0 ? 'Reveals' : '', sentence, columns)),
        '\n',
      ].join('')
    }
    case 'progress':
      return quiet || !news.isNews(event.backend, event) ? '' : `${paint.dim(progressText(event.backend, event))}\n`
    case 'path': {
      const colour = event.path.state === 'up' ? paint.green : paint.yellow
      return quiet ? '' : `  ${colour(event.path.state)}  ${describeReport(event.path)}: ${event.reason}\n`
    }
    case 'failover':
      return quiet ? '' : `  ${paint.bold(`${event.from} → ${event.to}`)}  new connections take ${event.to} first: ${event.reason}\n`
    case 'up':
      return quiet ? '' : `  ${paint.green('up')}  ${describePath(event.path)}${event.reason === '' ? '' : `: ${event.reason}`}\n`
    case 'down':
      return `  ${paint.yellow('down')}  ${event.reason}\n`
    case 'warning':
      return noteText({ kind: 'Warning', ...event }, noteColumns, paint)
    case 'error':
      return noteText({ kind: 'Error', ...event }, noteColumns, paint)
    case 'stopped':
      return quiet ? '' : `${paint.dim(`Closed: ${event.reason}`)}\n`
  }
}

/** A path in words: `mesh, direct, 12 ms`. What was not measured is left out. */
export function describePath({ backend, kind, hops, latencyMs }: Path): string {
  const parts = [backend, kind]
  if (hops > 0) parts.push(`${hops} ${hops === 1 ? 'hop' : 'hops'}`)
  if (latencyMs !== undefined) parts.push(`${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`)
  return parts.join(', ')
}

/** One of several paths in words: `tor, onion, 312 ms, 1.2 MB/s`. What was not measured is left out. */
function describeReport({ label, kind, state, latencyMs, bytesPerSecond, reliability }: PathReport): string {
  const parts = [label]
  if (kind !== undefined) parts.push(kind)
  if (state !== 'up') parts.push(STATES[state])
  if (latencyMs !== undefined) parts.push(`${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`)
  if (bytesPerSecond !== undefined) parts.push(`${(bytesPerSecond / 1e6).toPrecision(2)} MB/s`)
  if (reliability !== undefined && reliability < 1) parts.push(`${Math.round(reliability * 100)} % of attempts worked`)
  return parts.join(', ')
}

const STATES: Readonly<Record<Exclude<PathReport['state'], 'up'>, string>> = {
  untried: 'not reached yet',
  suspect: 'slower than it should be',
  down: 'out of reach',
}
