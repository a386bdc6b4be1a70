import type { ConnectEvent } from '../../core/tunnels/events.ts'
import { colours } from './colours.ts'
import { connectText } from './connect-text.ts'
import { columnsOf } from './layout.ts'
import { liveLine } from './live-line.ts'
import { LiveProgress } from './live-progress.ts'
import { noteColumns } from './note.ts'
import { ProgressNews } from './progress-news.ts'

/** What goes to stderr: all that is no answer to the command. */
const ASIDE: ReadonlySet<ConnectEvent['event']> = new Set(['progress', 'warning', 'error', 'down', 'up'])

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
    news: new ProgressNews(),
  }
  const live = new LiveProgress(liveLine, process.stderr)
  return (event) => {
    if (event.event === 'progress' && liveLine.able && !text.quiet) return live.report(event.backend, event.backend, event)
    if (event.event !== 'warning' && event.event !== 'progress') live.done('')
    live.write(ASIDE.has(event.event) ? process.stderr : process.stdout, connectText(event, text))
  }
}
