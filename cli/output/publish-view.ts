import type { PublishEvent, TunnelSnapshot } from '../../core/tunnels/events.ts'
import { colours } from './colours.ts'
import { columnsOf } from './layout.ts'
import { liveLine } from './live-line.ts'
import { LiveProgress } from './live-progress.ts'
import { noteColumns } from './note.ts'
import { PublishText, type PublishTextOptions } from './publish-text.ts'

/** The beginning of no key. */
const NOTHING = '\n'

/** What `beam expose` prints. */
export interface PublishViewOptions {
  readonly json: boolean
  readonly urlOnly: boolean
  readonly quiet: boolean
  readonly qr: boolean
  readonly copy: boolean
  readonly connectFlags: PublishTextOptions['connectFlags']
}

/** Shows the events of published tunnels: results on stdout, what is said on the way on stderr. */
export function publishView(options: PublishViewOptions): (event: PublishEvent) => void {
  const print = options.json ? printJson : options.urlOnly ? printAddresses : textPrinter(options)
  return (event) => {
    print(event)
    if (event.event !== 'ready') return
    if (options.qr) void showQr(event.tunnel)
    if (options.copy) void copyAddress(event.tunnel, print)
  }
}

function printJson(event: PublishEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

function printAddresses(event: PublishEvent): void {
  if (event.event === 'ready') process.stdout.write(event.tunnel.endpoints.map(({ address }) => `${address}\n`).join(''))
}

function textPrinter({ quiet, connectFlags }: PublishViewOptions): (event: PublishEvent) => void {
  const text = new PublishText({
    paint: colours(process.stdout),
    columns: columnsOf(process.stdout),
    noteColumns: noteColumns(process.stderr),
    connectFlags,
    quiet,
  })
  const addresses = (): void => live.write(process.stdout, text.earlyAddresses())
  const live = new LiveProgress(liveLine, process.stderr, addresses)
  const ready = new Set<string>()
  return holdFailures((event) => {
    addresses()
    if (event.event === 'progress' && liveLine.able && !quiet && !ready.has(event.tunnel)) {
      // That the service is announced is worth a line that stays: what follows is waiting for it to be found.
      if (event.phase === 'published') live.write(process.stderr, text.text(event))
      return live.report(`${event.tunnel} ${event.backend}`, event.backend, event)
    }
    if (event.event === 'ready') ready.add(event.tunnel.id)
    live.done(doneWith(event))
    const aside = event.event === 'progress' || event.event === 'warning' || event.event === 'error'
    live.write(aside ? process.stderr : process.stdout, text.text(event))
  })
}

/** What is no longer on its way after an event: everything of a tunnel, or of one network of it. */
function doneWith(event: PublishEvent): string {
  if (event.event === 'ready') return `${event.tunnel.id} `
  if (event.event === 'stopped') return `${event.tunnel} `
  if (event.event === 'warning' && event.code.startsWith('BEAM_ERR_')) return `${event.tunnel ?? ''} ${event.backend ?? ''}`
  return NOTHING
}

/**
 * Tells of a network that failed only when the tunnel goes on without it: when it was the last one, the error says the same.
 */
export function holdFailures(print: (event: PublishEvent) => void): (event: PublishEvent) => void {
  const held: PublishEvent[] = []
  return (event) => {
    if (event.event === 'warning' && event.code.startsWith('BEAM_ERR_')) {
      held.push(event)
      return
    }
    for (const failure of held.splice(0)) print(failure)
    print(event)
  }
}

async function showQr({ endpoints }: TunnelSnapshot): Promise<void> {
  const { renderUnicodeCompact } = await import('uqr')
  for (const { address } of endpoints) process.stdout.write(`${renderUnicodeCompact(address, { border: 2 })}\n\n`)
}

async function copyAddress({ id, endpoints }: TunnelSnapshot, print: (event: PublishEvent) => void): Promise<void> {
  try {
    const { default: clipboard } = await import('clipboardy')
    await clipboard.write(endpoints[0]?.address ?? '')
  } catch {
    // A machine without a desktop has no clipboard; the tunnel is what matters.
    print({
      event: 'warning',
      tunnel: id,
      code: 'BEAM_WARN_CLIPBOARD',
      message: 'The address could not be copied: this session has no clipboard.',
    })
  }
}
