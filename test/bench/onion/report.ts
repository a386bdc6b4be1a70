import { ratios, summarize } from '../../../plugins/benchmark/statistics.ts'
import { short } from '../report.ts'
import { ONION_FIGURES, type OnionFigure, type OnionFigureName, type OnionValues } from './figures.ts'

/** The values of each peer, one entry for each round. */
export type OnionRounds = Readonly<Record<string, readonly OnionValues[]>>

/** How far the median ratio may be from one to meet the aim. */
const AIM = 0.05
const WIDTHS = [13, 25, 25, 23, 16] as const

/** Every figure: medians with the extremes, the ratio of each round, and whether it lies in raw's own spread. */
export function onionTable(rounds: OnionRounds): string[] {
  const lines = [row('', 'raw', 'beam', 'beam / raw', "raw's spread", '')]
  for (const { name, unit, better } of ONION_FIGURES) {
    const raw = values(rounds, 'raw', name)
    const beam = values(rounds, 'beam', name)
    lines.push(row(name, spread(raw, unit), spread(beam, unit), spread(ratios(beam, raw), 'x'), ...judge(better, raw, beam)))
  }
  return lines
}

/** How much faster four circuits are than one, of each peer in the same round. */
export function circuitLines(rounds: OnionRounds): string[] {
  return Object.keys(rounds).map((peer) => {
    const gain = ratios(values(rounds, peer, 'down-4'), values(rounds, peer, 'down-1'))
    return `${peer}: four circuits carry ${spread(gain, 'x')} of one`
  })
}

/** Raw's spread around its median, and how the median ratio stands to it: only what is worse than raw at its worst is outside. */
function judge(
  better: OnionFigure['better'],
  raw: readonly (number | undefined)[],
  beam: readonly (number | undefined)[],
): [string, string] {
  const own = summarize(raw)
  const ratio = summarize(ratios(beam, raw))
  if (own.rounds === 0 || ratio.rounds === 0) return ['-', 'not measured']
  const [least, most] = [own.min / own.median, own.max / own.median]
  const verdict = (better === 'lower' ? ratio.median <= most : ratio.median >= least) ? 'inside' : 'OUTSIDE'
  return [`${short(least)}..${short(most)}`, Math.abs(ratio.median - 1) <= AIM ? `${verdict}, within 5 %` : verdict]
}

function values(rounds: OnionRounds, peer: string, figure: OnionFigureName): (number | undefined)[] {
  return (rounds[peer] ?? []).map((round) => round[figure])
}

function spread(all: readonly (number | undefined)[], unit: string): string {
  const { median, min, max, rounds } = summarize(all)
  return rounds === 0 ? '-' : `${short(median)} ${unit} (${short(min)}..${short(max)})`
}

function row(...cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd()
}
