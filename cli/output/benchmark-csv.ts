import type { BenchmarkReport } from '../../plugins/benchmark/index.ts'
import { flatFigures, rowsOf } from './benchmark-figures.ts'

const HEAD = ['network', 'kind', 'figure', 'unit', 'value', 'min', 'max', 'count', 'problem']

/** The report as CSV (RFC 4180): a line for each figure; a network that could not be measured has one line that says why. */
export function benchmarkCsv(report: BenchmarkReport): string {
  const problems = new Map(report.backends.map(({ name, problem }) => [name, problem?.message]))
  const lines = rowsOf(report).flatMap(({ name, kind, figures }) => {
    if (figures === undefined) return [[name, kind, '', '', '', '', '', '', problems.get(name) ?? 'its turn did not come']]
    return flatFigures(figures).map(({ name: figure, unit, value, min, max, count }) => [
      name,
      kind,
      figure,
      unit,
      value,
      min,
      max,
      count,
      '',
    ])
  })
  return [HEAD, ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('')
}

function cell(value: string | number | undefined): string {
  const text = String(value ?? '')
  // A text that begins like a formula would be one in spreadsheets.
  const safe = typeof value === 'string' && /^[=+@-]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
