import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { LogLine } from '../daemon/protocol.ts'
import { writeJson } from './config-text.ts'

/** Prints events with their times, one a line. */
export function eventPrinter(json: boolean): (line: LogLine) => void {
  if (json) return writeJson
  return (line) => {
    if ('missed' in line) process.stdout.write(`… ${line.missed} events are missing here: they were read too slowly.\n`)
    else process.stdout.write(`${line.at} ${eventText(line.event)}\n`)
  }
}

/** One event in one line. */
function eventText(event: PublishEvent): string {
  switch (event.event) {
    case 'progress':
      return `${event.tunnel} ${event.backend}: ${event.message}`
    case 'address':
      return `${event.tunnel} ${event.backend}: address ${event.address}`
    case 'ready':
      return `${event.tunnel.id} published: ${event.tunnel.endpoints.map(({ address }) => address).join(' ')}`
    case 'up':
    case 'down':
      return `${event.tunnel} ${event.what === 'service' ? 'local service' : (event.backend ?? 'network')} ${event.event}: ${event.reason}`
    case 'failover':
      return `${event.tunnel} moved from ${event.from} to ${event.to}: ${event.reason}`
    case 'warning':
    case 'error':
      return `${event.tunnel ?? '-'} ${event.event}: ${event.message} (${event.code})`
    case 'stopped':
      return `${event.tunnel} stopped: ${event.reason}`
  }
}
