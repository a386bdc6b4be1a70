import type { BackendCapabilities } from '../../core/capabilities.ts'
import type { PlanRow, PlanUse, TunnelPlan } from '../../core/tunnels/plan.ts'
import { hides } from './capability-words.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { wrap } from './layout.ts'
import { table } from './table.ts'

const COLUMNS = [
  { title: 'BACKEND', max: 16 },
  { title: 'USE', max: 8 },
  { title: 'ANONYMITY', max: 9 },
  { title: 'HIDES', max: 13 },
  { title: 'ROUND TRIP', max: 10 },
  { title: 'WHY', max: 60 },
]

const USE_WORDS: Readonly<Record<PlanUse, string>> = { first: 'first', standby: 'standby', 'at-once': 'at once', no: 'no' }

/** A plan as a table, and below it what it reveals and why it would be refused. */
export function planText(plan: TunnelPlan, width: number, paint: Colours): string {
  const { strategy, chosen, rows, reveals, access, warnings, refused } = plan
  const paragraph = (text: string): string => `${wrap(foreignText(text), width).join('\n')}\n`
  const parts = [
    paragraph(chosen.length === 0 ? `Strategy ${strategy}: nothing would be published.` : `Strategy ${strategy}: ${chosen.join(', ')}.`),
    table(COLUMNS, rows.map(cells), width, paint),
    ...(refused === undefined
      ? [[...reveals, access].map(paragraph).join('')]
      : [paint.red(paragraph(refused.message)), ...(refused.hint === undefined ? [] : [paragraph(refused.hint)])]),
    ...(warnings.length === 0 ? [] : [warnings.map(paragraph).join('')]),
    ...(rows.some(({ latency }) => latency !== undefined)
      ? [
          paint.dim(
            paragraph(
              'Round trips: what the design of the network allows for by distance, without queues. Nothing was measured; beam benchmark measures.',
            ),
          ),
        ]
      : []),
  ]
  return parts.join('\n')
}

function cells({ backend, use, reasons, capabilities, latency }: PlanRow): readonly string[] {
  const of = (word: (capabilities: BackendCapabilities) => string): string => (capabilities === undefined ? '' : word(capabilities))
  return [
    backend,
    USE_WORDS[use],
    of(({ anonymityLevel }) => anonymityLevel),
    of(hides),
    latency === undefined ? '' : `≤ ${latency.boundMs} ms`,
    foreignText(reasons.join('; ')),
  ]
}
