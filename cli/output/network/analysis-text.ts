import type { Analysis } from '../../network/analysis.ts'
import type { Owner } from '../../network/ask.ts'
import type { Colours } from '../colours.ts'
import { foreignText } from '../foreign-text.ts'
import { labelled } from '../table.ts'
import { discoveryText, relayedText } from './status-text.ts'
import { countText, msText, ownerText, percentText } from './words.ts'

/** Lines of one distribution. */
const MOST_SHARES = 8

/** `beam network analyze`. */
export function analysisText(analysis: Analysis, owner: Owner, columns: number, paint: Colours): string {
  const { peers, inbound, heard, latencyMs, networks, countries, participations, distances, relayed, discovery } = analysis
  const rows: Array<readonly [string, string]> = [
    ['Peers', `${peers} linked, ${inbound} of them dialled this node; ${countText(heard, 'node')} heard of lately`],
    ...(latencyMs === undefined
      ? []
      : [
          [
            'Latency',
            `median ${msText(latencyMs.median)}, 95 % within ${msText(latencyMs.p95)}, at most ${msText(latencyMs.most)}`,
          ] as const,
        ]),
    ...(relayed === undefined ? [] : [['For others', relayedText(relayed)] as const]),
    ['Discovery', discoveryText(discovery)],
  ]
  const blocks: ReadonlyArray<readonly [string, Analysis['networks'] | undefined]> = [
    ['By country', countries],
    ['By network', networks],
    ['By distance', distances],
    ['By what they do', participations],
  ]
  return [
    `${paint.bold('The mesh around this node')}, ${ownerText(owner)}\n`,
    labelled(rows, columns),
    ...blocks.flatMap(([title, shares]) =>
      shares === undefined || shares.length === 0 ? [] : [`\n${paint.bold(title)}\n${sharesText(shares, peers, columns)}`],
    ),
  ].join('')
}

function sharesText(shares: Analysis['networks'], whole: number, columns: number): string {
  // Beside the name and the bar stand two blanks, the count, the share, and what keeps them apart: 18 columns.
  const named = Math.min(24, Math.max(12, columns - 18 - 30))
  const room = Math.max(5, Math.min(30, columns - 18 - named))
  const shown = shares.slice(0, MOST_SHARES)
  const rest = shares.slice(MOST_SHARES).reduce((sum, { count }) => sum + count, 0)
  return [...shown, ...(rest > 0 ? [{ of: 'others', count: rest }] : [])]
    .map(({ of, count }) => {
      const bar = '█'.repeat(Math.max(1, Math.round((count / Math.max(1, whole)) * room)))
      return `  ${foreignText(of).slice(0, named).padEnd(named)} ${String(count).padStart(4)}  ${percentText(count / Math.max(1, whole)).padStart(7)}  ${bar}\n`
    })
    .join('')
}
