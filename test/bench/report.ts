import { judge, type Figure } from './figures.ts'
import { ratios, summarize, type Summary } from '../../plugins/benchmark/statistics.ts'

/** The values of one figure by peer, one for each round; `undefined` where a round gave none. */
export type Values = ReadonlyMap<string, readonly (number | undefined)[]>

const NAME_WIDTH = 15
const PEER_WIDTH = 13
/** Columns of peers that fit into 80. */
const PEERS_A_BLOCK = 5

/** Medians of all peers, each with half of the range between its best and worst round. */
export function medianTable(figures: readonly Figure[], peers: readonly string[], values: (figure: Figure) => Values): string[] {
  const lines: string[] = []
  for (let at = 0; at < peers.length; at += PEERS_A_BLOCK) {
    const block = peers.slice(at, at + PEERS_A_BLOCK)
    lines.push(''.padEnd(NAME_WIDTH) + block.map((peer) => peer.padStart(PEER_WIDTH)).join(''))
    for (const figure of figures) {
      const cells = block.map((peer) => cell(summarize(values(figure).get(peer) ?? [])))
      if (cells.some((text) => text !== '-'))
        lines.push(figure.name.padEnd(NAME_WIDTH) + cells.map((text) => text.padStart(PEER_WIDTH)).join(''))
    }
    lines.push('')
  }
  return lines
}

/** The targets of `peer`: its own figure or its ratio to the reference, by round and as median. */
export function targetTable(figures: readonly Figure[], peer: string, reference: string, values: (figure: Figure) => Values): string[] {
  const lines = [row(['', 'measured', '(best..worst round)', 'target', 'aim', ''])]
  for (const figure of figures) {
    const { target } = figure
    const own = values(figure).get(peer)
    if (target === undefined || own === undefined) continue
    const summary = summarize(target.kind === 'ratio' ? ratios(own, values(figure).get(reference) ?? []) : own)
    if (summary.rounds === 0) {
      lines.push(row([figure.name, '-', '', '', '', 'not measured']))
      continue
    }
    const { median, min, max } = summary
    const [best, worst] = figure.better === 'higher' ? [max, min] : [min, max]
    const decisive = target.kind === 'worst' ? worst : median
    const verdict = judge(figure, decisive) ?? ''
    const agreed = (judge(figure, min) === 'short') === (judge(figure, max) === 'short')
    const unit = target.kind === 'ratio' ? ' x' : figure.unit === '' ? '' : ` ${figure.unit}`
    const sign = figure.better === 'higher' ? '>=' : '<='
    const spread = `(${short(best)}..${short(worst)})`
    lines.push(
      row([
        figure.name,
        short(decisive) + unit,
        spread,
        `${sign} ${target.limit}`,
        target.aim === undefined ? '' : `${sign} ${target.aim}`,
        agreed ? verdict : `${verdict}, differs`,
      ]),
    )
  }
  return lines
}

/** `peer` as multiples of `reference`, every figure by round and as median. */
export function ratioTable(figures: readonly Figure[], peer: string, reference: string, values: (figure: Figure) => Values): string[] {
  return figures.flatMap((figure) => {
    const { median, min, max, rounds } = summarize(ratios(values(figure).get(peer) ?? [], values(figure).get(reference) ?? []))
    if (rounds === 0) return []
    return [row([figure.name, `${short(median)} x`, `(${short(min)}..${short(max)})`, `${figure.better} is better`])]
  })
}

function row([name = '', measured = '', spread = '', target = '', aim = '', verdict = '']: readonly string[]): string {
  return `${name.padEnd(NAME_WIDTH)}${measured.padStart(10)}  ${spread.padEnd(19)} ${target.padEnd(8)} ${aim.padEnd(7)} ${verdict}`.trimEnd()
}

function cell({ median, min, max, rounds }: Summary): string {
  if (rounds === 0) return '-'
  if (rounds === 1 || median === 0) return short(median)
  return `${short(median)} ±${Math.round(((max - min) / 2 / Math.abs(median)) * 100)}%`
}

/** Three significant digits, no exponent. */
export function short(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 3))
}
