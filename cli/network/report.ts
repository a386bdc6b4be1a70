import { release } from 'node:os'
import type { PeriodFigures } from './answers.ts'
import type { Snapshot } from './ask.ts'
import { healthOf } from './health.ts'
import { redact, surroundings, type Surroundings } from './redact.ts'

/** Longest text of an issue that goes into a report. */
const MAX_ISSUE = 20_000

/** What a report is made of. */
export interface ReportParts {
  readonly version: string
  readonly nodes: readonly Snapshot[]
  /** The last day. */
  readonly period?: PeriodFigures
  /** Settings of the mesh without anything that names somebody. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** What could not be found out, and why. */
  readonly failures: readonly string[]
  /** What the user says. */
  readonly issue?: string
  readonly at: Date
}

/**
 * A report that can be shown to others. Figures and words of Beam's own go in by choice, and nothing else does: no key, address, name of a
 * tunnel, host or user. Texts that somebody wrote (the issue, reasons of failures) are gone through for such things.
 */
export function reportText(parts: ReportParts, around: Surroundings = surroundings()): string {
  const { version, nodes, period, settings = {}, failures, issue, at } = parts
  const clean = (text: string): string => redact(text, around)
  return `${[
    '# Report of Beam’s network',
    '',
    'Made on this machine and sent nowhere. Keys, addresses, names and IP addresses were left out: read it through before you show it to others.',
    '',
    ...(issue === undefined ? [] : ['## What happened', '', clean(issue.slice(0, MAX_ISSUE)), '']),
    '## Machine',
    '',
    ...list([
      ['made', `${at.toISOString().slice(0, 13)}:00Z`],
      ['beam', version],
      ['node', process.version],
      ['system', `${process.platform} ${process.arch}, ${release().split('-')[0] ?? ''}`],
    ]),
    ...(Object.keys(settings).length === 0
      ? []
      : ['', '## Settings', '', ...list(Object.entries(settings).map(([name, value]) => [name, String(value)]))]),
    ...(failures.length === 0 ? [] : ['', '## Not found out', '', ...failures.map((failure) => `- ${clean(failure)}`)]),
    ...nodes.flatMap((node, index) => nodeLines(node, index, at.getTime())),
    ...(period === undefined ? [] : ['', '## The last day', '', ...periodLines(period)]),
  ].join('\n')}\n`
}

function nodeLines({ owner, status, peers }: Snapshot, index: number, now: number): string[] {
  const { verdict, checks } = healthOf({ status, peers })
  const { relayed } = status
  return [
    '',
    `## Node ${index + 1} (${owner.role})`,
    '',
    ...list([
      ['up', status.running ? `${Math.round((now - (status.startedAt ?? now)) / 1000)} s` : 'no'],
      ['participation', status.participation],
      ['key kept', status.keyKept === undefined ? undefined : String(status.keyKept)],
      ['relays', status.routing],
      ['cache of records', status.caching],
      ['strategy', status.strategy],
      ['addresses at which it can be linked to', status.addresses?.length],
      ['peers', peers.length],
      ['dialled by peers', status.inbound],
      ['nodes heard of', status.heard],
      ['nodes to link to', status.known],
      ['records', status.records],
      ['relays that answer for it', status.relays?.length],
      ['port at the router', status.portMap?.state],
      ['records registered here', status.registered],
      ['error of the coordinate', status.coordinate?.error.toFixed(2)],
      [
        'relayed',
        relayed &&
          `${relayed.streams} streams, ${relayed.openStreams} open, ${relayed.refused} refused, ${relayed.bytes} bytes, ${relayed.peersHelped} peers`,
      ],
    ]),
    '',
    `Health: ${verdict}`,
    '',
    // Details of sources may name hosts: only states go in.
    ...checks.filter(({ what }) => what !== 'discovery').map(({ what, verdict: each, text }) => `- ${what}: ${each} (${text})`),
    ...status.discovery.map(
      ({ name, state, peers: known }) =>
        `- discovery by ${/^[a-z-]{1,20}$/.test(name) ? name : 'a plugin'}: ${state}${known === undefined ? '' : `, ${known} ${known === 1 ? 'node' : 'nodes'}`}`,
    ),
    '',
    ...(peers.length === 0 ? [] : ['| peer | dialled by | latency | trust | age | does | busy |', '|---|---|---|---|---|---|---|']),
    ...peers.map(
      ({ direction, latencyMs, trust, ageMs, participation = '', busy }, at) =>
        `| ${at + 1} | ${direction === 'out' ? 'us' : 'it'} | ${latencyMs === undefined ? '' : `${latencyMs.toFixed(1)} ms`} | ${trust.toFixed(2)} | ${Math.round(ageMs / 1000)} s | ${/^[a-z]{1,12}$/.test(participation) ? participation : ''} | ${busy ? 'yes' : 'no'} |`,
    ),
  ]
}

function periodLines({ samples, upMs, peers, latencyMs, discoverable, streams, bytes, refused }: PeriodFigures): string[] {
  const range = (value: PeriodFigures['peers'], unit: string): string | undefined =>
    value && `${value.mean.toFixed(1)}${unit} on average, from ${value.least.toFixed(1)} to ${value.most.toFixed(1)}`
  return list([
    ['samples', samples],
    ['up', `${Math.round(upMs / 1000)} s`],
    ['peers', range(peers, '')],
    ['latency', range(latencyMs, ' ms')],
    ['discovery ready', discoverable === undefined ? undefined : `${(discoverable * 100).toFixed(1)} % of the samples`],
    ['carried for others', `${streams} streams, ${bytes} bytes, ${refused} refused`],
  ])
}

function list(rows: ReadonlyArray<readonly [string, string | number | undefined]>): string[] {
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [`- ${label}: ${text}`]))
}
