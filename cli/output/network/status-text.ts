import type { NodeStatus, PeerFigures, Source } from '../../network/answers.ts'
import type { Owner, Snapshot } from '../../network/ask.ts'
import { quantile } from '../../network/figures.ts'
import type { Health } from '../../network/health.ts'
import type { Colours } from '../colours.ts'
import { foreignText } from '../foreign-text.ts'
import { labelled } from '../table.ts'
import { bytesText, countText, msText, ownerText, timeText } from './words.ts'

/** The node of one process. */
export function statusText({ owner, status, peers }: Snapshot, now: number, columns: number, paint: Colours): string {
  const head = `${status.running ? paint.green('●') : paint.yellow('○')} ${paint.bold('Node of the mesh')}, ${ownerText(owner)}\n`
  const rows = status.running ? runningRows(status, peers, now) : [['Node', 'not up: nothing needed one yet'] as const]
  return `${head}${labelled([...rows, ['Discovery', discoveryText(status.discovery)]], columns)}`
}

function runningRows(status: NodeStatus, peers: readonly PeerFigures[], now: number): Array<readonly [string, string]> {
  const {
    id = '',
    keyKept,
    participation = '',
    startedAt,
    addresses = [],
    inbound = 0,
    heard = 0,
    known = 0,
    records = 0,
    relays = [],
  } = status
  const median = quantile(
    peers.flatMap(({ latencyMs }) => latencyMs ?? []),
    0.5,
  )
  return [
    ['Key', `${id}${keyKept === false ? ' (new at each start)' : ''}`],
    ['Takes part', [participation, ...servedText(status), ...(status.routing === 'disabled' ? ['without relays'] : [])].join(', ')],
    ...(startedAt === undefined ? [] : [['Up', timeText(now - startedAt)] as const]),
    ['Peers', `${status.peers ?? 0} of at most ${status.maxPeers ?? '?'}${inbound > 0 ? `, ${inbound} of them dialled this node` : ''}`],
    ['Knows', `${countText(heard, 'node')} heard of lately, ${known} to link to, ${countText(records, 'record')} of services and nodes`],
    ...(median === undefined ? [] : [['Latency', `half of the peers within ${msText(median)}`] as const]),
    ...(addresses.length === 0 ? [] : [['Addresses', addresses.join(' ')] as const]),
    ...(status.portMap === undefined ? [] : [['Router', portMapText(status.portMap)] as const]),
    ...(relays.length === 0 ? [] : [['Reached by', countText(relays.length, 'relay')] as const]),
    ...(status.relayed === undefined ? [] : [['For others', relayedText(status.relayed)] as const]),
  ]
}

function servedText({ serves = [], registered = 0 }: NodeStatus): string[] {
  if (serves.length === 0) return []
  return [`as ${serves.map(foreignText).join(', ')}`, ...(registered > 0 ? [`${countText(registered, 'record')} registered`] : [])]
}

function portMapText({ state, protocol = '', host = '', port = 0, reason = '' }: NonNullable<NodeStatus['portMap']>): string {
  if (state === 'mapped') return `forwards ${foreignText(host)} port ${port} to this node (${foreignText(protocol)})`
  return state === 'asking' ? 'is asked for a port' : `forwards no port: ${foreignText(reason)}`
}

/** What a node carried for others. */
export function relayedText({ streams, openStreams, bytes, peersHelped, refused }: NonNullable<NodeStatus['relayed']>): string {
  return `${countText(streams, 'route')} (${openStreams} open, ${refused} refused), ${bytesText(bytes)}, ${countText(peersHelped, 'peer')} helped`
}

/** The sources of discovery in one line. */
export function discoveryText(sources: readonly Source[]): string {
  return sources
    .map(({ name, state, peers, detail }) => {
      const more = [...(peers === undefined ? [] : [countText(peers, 'node')]), ...(detail === undefined ? [] : [foreignText(detail)])]
      return `${name} ${state}${more.length === 0 ? '' : ` (${more.join(', ')})`}`
    })
    .join('; ')
}

/** What the checks of one node found. */
export function healthText({ verdict, checks }: Health, owner: Owner, columns: number, paint: Colours): string {
  return `${look(verdict, paint)('●')} ${paint.bold(`Health: ${verdict}`)}, ${ownerText(owner)}\n${healthLines(checks, columns, paint).join('\n')}\n`
}

/** A line, or more, for each check. */
export function healthLines(checks: Health['checks'], columns: number, paint: Colours): string[] {
  return checks.map(({ what, verdict, text }) => {
    const sign = { good: '✓', warning: '!', bad: '✗', unknown: '·' }[verdict]
    // The sign stands where the label would: two columns further in, so all lines go there.
    const [first = '', ...more] = labelled([[what.padEnd(11), text]], columns - 2)
      .trimEnd()
      .split('\n')
    return [`  ${look(verdict, paint)(sign)}${first.slice(1)}`, ...more.map((line) => `  ${line}`)].join('\n')
  })
}

function look(verdict: Health['checks'][number]['verdict'], paint: Colours): (text: string) => string {
  return { good: paint.green, warning: paint.yellow, bad: paint.red, unknown: paint.dim }[verdict]
}
