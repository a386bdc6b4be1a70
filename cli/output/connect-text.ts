import type { Path } from '../../core/backend.ts'
import type { ConnectEvent } from '../../core/tunnels/events.ts'
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
  /** The local address, warnings and errors only. */
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
        field('Path', describePath(event.path), columns, paint.green),
        ...event.reveals.map((sentence, index) => field(index === 0 ? 'Reveals' : '', sentence, columns)),
        '\n',
      ].join('')
    }
    case 'progress':
      return quiet || !news.isNews(event.backend, event) ? '' : `${paint.dim(progressText(event.backend, event))}\n`
    case 'up':
      return quiet ? '' : `  ${paint.green('up')}  ${describePath(event.path)}${event.reason === '' ? '' : `: ${event.reason}`}\n`
    case 'down':
      return quiet ? '' : `  ${paint.yellow('down')}  ${event.reason}\n`
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
