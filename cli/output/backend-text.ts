import type { BackendOverview, BackendStanding, StartedOverview } from '../../plugins/backend-overview.ts'
import { capabilityLines, carries, hides } from './capability-words.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { wrap } from './layout.ts'
import { schemaTable } from './schema-table.ts'
import { labelled, table } from './table.ts'

const COLUMNS = [
  { title: 'NAME', max: 20 },
  { title: 'STATE', max: 13 },
  { title: 'PRIORITY', max: 8 },
  { title: 'CARRIES', max: 8 },
  { title: 'HIDES', max: 13 },
  { title: 'SOURCE', max: 40 },
]

/** All backends as a table, and below it why some cannot be used. */
export function listText(backends: readonly BackendOverview[], width: number, paint: Colours): string {
  const rows = backends.map(({ name, standing, priority, capabilities, source = '' }) => [
    name,
    standing,
    priority === undefined ? '' : String(priority),
    capabilities === undefined ? '' : carries(capabilities),
    capabilities === undefined ? '' : hides(capabilities),
    foreignText(source),
  ])
  return table(COLUMNS, rows, width, paint) + reasons(backends, width, paint)
}

/** The reasons, each once with all whom it concerns. */
function reasons(backends: readonly BackendOverview[], width: number, paint: Colours): string {
  const byReason = new Map<string, BackendOverview[]>()
  for (const backend of backends) {
    if (backend.reason === undefined) continue
    const reason = foreignText(backend.reason)
    byReason.set(reason, [...(byReason.get(reason) ?? []), backend])
  }
  const texts = [...byReason].map(([reason, concerned]) => {
    const failed = concerned.some(({ standing }) => standing === 'failed')
    const lines = wrap(`${concerned.map(({ name }) => name).join(', ')}: ${reason}`, width)
    return lines.map((line) => (failed ? paint.red(line) : paint.dim(line))).join('\n')
  })
  return texts.length === 0 ? '' : `\n${texts.join('\n')}\n`
}

const STANDING_WORDS: Readonly<Record<BackendStanding, string>> = {
  enabled: 'enabled: tunnels without a list of their own use it',
  installed: 'installed, but not enabled in the configuration',
  failed: 'failed',
  'not installed': 'not installed',
}

/** One backend in full. */
export function infoText(backend: StartedOverview, width: number, paint: Colours): string {
  const { name, standing, description, priority, source, version, capabilities, configSchema, reason, status } = backend
  const lines: Array<readonly [string, string]> = [['State', STANDING_WORDS[standing]]]
  if (reason !== undefined) lines.push(['Reason', reason])
  if (priority !== undefined) lines.push(['Priority', `${priority} (lower comes first)`])
  if (source !== undefined) lines.push(['Source', source])
  if (version !== undefined) lines.push(['Version', version])
  if (capabilities !== undefined) lines.push(...capabilityLines(capabilities))
  else if (source === 'executable') lines.push(['Abilities', 'known once it runs: ask with --start'])
  if (status !== undefined) {
    lines.push(['Started', `${status.state}${status.message === undefined ? '' : `: ${status.message}`}`])
    if (status.version !== undefined) lines.push(['Daemon', status.version])
  }
  const head = `${paint.bold(name)}${description === undefined ? '' : `  ${foreignText(description)}`}\n`
  const settings =
    configSchema === undefined || !('properties' in configSchema)
      ? ''
      : `\nSettings, in beam.config.yaml under backends.${name}.config:\n\n${schemaTable(configSchema, width, paint)}`
  return (
    head +
    labelled(
      lines.map(([label, text]) => [label, foreignText(text)] as const),
      width,
    ) +
    settings
  )
}
