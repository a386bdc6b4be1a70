import type { Colours } from '../output/colours.ts'
import { wrap } from '../output/layout.ts'
import type { Finding, FindingState } from './finding.ts'

const HEADINGS: Readonly<Record<Finding['group'], string>> = {
  machine: 'This machine',
  network: 'Sockets and discovery',
  daemons: 'Daemons of other networks (only needed for the networks they carry)',
}

/** A mark that can be told apart without colours too. */
const MARKS: Readonly<Record<FindingState, string>> = { ok: '✓', limited: '!', broken: '✗', off: '-', absent: '·' }

const TITLE_COLUMNS = 16

/** The findings as a list that fits the columns. */
export function reportText(findings: readonly Finding[], columns: number, paint: Colours): string {
  const painted: Readonly<Record<FindingState, (text: string) => string>> = {
    ok: paint.green,
    limited: paint.yellow,
    broken: paint.red,
    off: paint.dim,
    absent: paint.dim,
  }
  const lines: string[] = []
  for (const group of Object.keys(HEADINGS) as Array<Finding['group']>) {
    const members = findings.filter((finding) => finding.group === group)
    if (members.length === 0) continue
    lines.push('', paint.bold(HEADINGS[group]))
    for (const { state, title, detail, advice } of members) {
      // What is absent is no fault: one line is enough.
      const brief = state === 'absent' && advice !== undefined
      const [first = '', ...rest] = wrap(brief ? `${detail} → ${advice}` : detail, columns - TITLE_COLUMNS - 4)
      const calm = state === 'absent' || state === 'off' ? paint.dim : (text: string) => text
      lines.push(`  ${painted[state](MARKS[state])} ${title.padEnd(TITLE_COLUMNS)}${calm(first)}`)
      const indent = ' '.repeat(TITLE_COLUMNS + 4)
      for (const line of rest) lines.push(indent + calm(line))
      if (advice !== undefined && !brief)
        for (const line of wrap(`→ ${advice}`, columns - TITLE_COLUMNS - 4)) lines.push(indent + calm(line))
    }
  }
  return `${lines.join('\n')}\n\n${conclusion(findings, paint)}\n`
}

function conclusion(findings: readonly Finding[], paint: Colours): string {
  const broken = findings.filter(isFatal)
  if (broken.length > 0) return paint.red(`Beam cannot work here: ${broken.map(({ title }) => title).join(', ')}.`)
  const limits = findings.filter(({ state }) => state === 'limited' || state === 'broken').length
  return limits === 0
    ? paint.green('Beam works on this machine.')
    : paint.yellow(`Beam works on this machine, with ${limits === 1 ? 'one limit' : `${limits} limits`} (marked ! or ✗).`)
}

/** Whether Beam cannot work because of it. */
export function isFatal({ state, essential }: Finding): boolean {
  return state === 'broken' && essential === true
}
