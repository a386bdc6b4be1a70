import { ratios, summarize } from '../../../plugins/benchmark/statistics.ts'
import type { I2pValues } from './measure.ts'

const FIGURES = [
  { name: 'ttfb', unit: 'ms', better: 'lower' },
  { name: 'down', unit: 'MiB/s', better: 'higher' },
  { name: 'streams', unit: 'ms', better: 'lower' },
] as const

const REFERENCE = 'i2pd'

/** Medians of each way, and its ratios to i2pd in the same round. */
export function i2pTable(rounds: Readonly<Record<string, ReadonlyArray<I2pValues | undefined>>>): string[] {
  return FIGURES.flatMap(({ name, unit, better }) => {
    const of = (way: string): Array<number | undefined> => (rounds[way] ?? []).map((values) => values?.[name])
    const rows = Object.keys(rounds).map((way) => {
      const { median, min, max } = summarize(of(way))
      const own = `  ${way.padEnd(10)} ${short(median).padStart(7)} (${short(min)}..${short(max)})`
      if (way === REFERENCE) return own
      const ratio = summarize(ratios(of(way), of(REFERENCE)))
      return `${own.padEnd(40)} ${short(ratio.median)} x (${short(ratio.min)}..${short(ratio.max)})`
    })
    return [`${name}, ${unit} (${better} is better)`, ...rows, '']
  })
}

/** Three significant digits. */
function short(value: number): string {
  return Number(value.toPrecision(3)).toString()
}
