import type { ConnectEvent } from '../../core/tunnels/events.ts'
import { colours } from './colours.ts'
import { connectText } from './connect-text.ts'
import { columnsOf } from './layout.ts'
import { noteColumns } from './note.ts'

/** Shows the events of a connection: results on stdout, what is said on the way on stderr. */
export function connectView(options: {
  readonly json: boolean
  readonly urlOnly: boolean
  readonly quiet: boolean
}): (event: ConnectEvent) => void {
  if (options.json) return (event) => void process.stdout.write(`${JSON.stringify(event)}\n`)
  const text = {
    paint: colours(process.stdout),
    columns: columnsOf(process.stdout),
    noteColumns: noteColumns(process.stderr),
    quiet: options.quiet || options.urlOnly,
  }
  return (event) => {
    const aside = event.event === 'progress' || event.event === 'warning' || event.event === 'error'
    const stream = aside ? process.stderr : process.stdout
    stream.write(connectText(event, text))
  }
}
