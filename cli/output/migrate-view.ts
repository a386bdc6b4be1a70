import type { MigrateLine } from '../daemon/protocol.ts'
import { foreignText } from './foreign-text.ts'

/** Shows how a migration goes on: each line as JSON, or what a person wants to know of it. */
export function migrateView({ json }: { readonly json: boolean }): (line: Exclude<MigrateLine, { failure: unknown }>) => void {
  return (line) => {
    const text = json ? JSON.stringify(line) : textOf(line)
    if (text !== undefined) process.stdout.write(`${text}\n`)
  }
}

function textOf(line: Exclude<MigrateLine, { failure: unknown }>): string | undefined {
  if ('missed' in line) return undefined
  if ('migrated' in line) return `Moved from ${line.from} to ${line.to}.`
  switch (line.event) {
    case 'address':
      return `${line.backend}: ${foreignText(line.address)}`
    case 'progress':
      return `${line.backend}: ${foreignText(line.message)}${line.percent === undefined ? '' : ` (${line.percent} %)`}`
    case 'warning':
      return foreignText(line.message)
    case 'failover':
      return `New connections: ${line.to} (${foreignText(line.reason)}).`
    case 'down':
    case 'up':
      return line.what === 'endpoint' ? `${line.backend ?? ''} ${line.event}: ${foreignText(line.reason)}` : undefined
    default:
      return undefined
  }
}
