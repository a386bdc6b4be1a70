import type { PublishEvent } from '../../core/tunnels/events.ts'
import { colours } from './colours.ts'
import { noteColumns, noteText } from './note.ts'
import { ProgressNews, progressText } from './progress-news.ts'

/** A meeting place that is up. */
export interface MeetingPlaceView {
  readonly id: string
  readonly addresses: readonly string[]
}

/** The text for people. */
export function meetingPlaceText({ id, addresses }: MeetingPlaceView): string {
  const lines = [
    `Meeting place ${id}`,
    'It holds what publishers register with it, and tells whoever asks. It takes no part in the mesh.',
    'Publishers and visitors name it with --rendezvous (p2p.rendezvous):',
    ...addresses.map((address) => `  ${address}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Shows what happens to a meeting place: nothing of the addresses under which its networks lead to it, since they are used with its key only. */
export function meetingPlaceView({ json }: { readonly json: boolean }): (event: PublishEvent) => void {
  if (json) {
    return (event) => {
      if (event.event !== 'ready' && event.event !== 'address' && event.event !== 'stopped')
        process.stdout.write(`${JSON.stringify(event)}\n`)
    }
  }
  const news = new ProgressNews()
  const paint = colours(process.stderr)
  return (event) => {
    if (event.event === 'warning') process.stderr.write(noteText({ kind: 'Warning', ...event }, noteColumns(process.stderr), paint))
    if (event.event === 'progress' && news.isNews(event.backend, event))
      process.stderr.write(`${paint.dim(progressText(event.backend, event))}\n`)
    if (event.event === 'down' || event.event === 'up') process.stdout.write(`${event.event}  ${event.backend ?? ''}: ${event.reason}\n`)
  }
}
