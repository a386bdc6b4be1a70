import type { ConformanceReport, Latency, PromiseResult } from '../../core/testing/index.ts'
import { rate } from './capability-words.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { wrap } from './layout.ts'
import { labelled } from './table.ts'

/** Columns of the result, with the indent and the gap. */
const RESULT_COLUMNS = 11

/** How many promises came out in each way. */
export interface Tally {
  readonly kept: number
  readonly broken: number
  readonly skipped: number
}

/** Counts results. */
export function tally(promises: readonly PromiseResult[]): Tally {
  const count = (wanted: PromiseResult['result']): number => promises.filter(({ result }) => result === wanted).length
  return { kept: count('kept'), broken: count('broken'), skipped: count('skipped') }
}

/** One row of the table of promises, written as soon as it is known; `chapter` stands above the first one of a chapter. */
export function promiseText(result: PromiseResult, options: { chapter: boolean; width: number; paint: Colours }): string {
  const { chapter, width, paint } = options
  const look = { kept: paint.green, broken: paint.red, skipped: paint.dim }[result.result]
  const indent = ' '.repeat(RESULT_COLUMNS)
  const texts = [`${result.promise} [${result.id}]`, ...(result.reason === undefined ? [] : [`– ${foreignText(result.reason)}`])]
  const lines = texts.flatMap((text) => wrap(text, width - RESULT_COLUMNS))
  const first = look(`  ${result.result}`.padEnd(RESULT_COLUMNS))
  return `${chapter ? `\n${paint.bold(result.chapter)}\n` : ''}${first}${lines.join(`\n${indent}`)}\n`
}

/** What is said at the end: the numbers, what was broken, and what was measured. */
export function summaryText(
  report: Pick<ConformanceReport, 'promises' | 'reliability' | 'latency' | 'throughput'>,
  { faults, interrupted, width, paint }: { faults: readonly string[]; interrupted: boolean; width: number; paint: Colours },
): string {
  const { kept, broken, skipped } = tally(report.promises)
  const counts = `${report.promises.length} promises: ${kept} kept, ${broken} broken, ${skipped} skipped.`
  const bad = broken > 0 || faults.length > 0
  let text = `\n${bad ? paint.red(counts) : interrupted ? counts : paint.green(counts)}\n`
  for (const { id, reason = '' } of report.promises.filter(({ result }) => result === 'broken')) {
    text += `${wrap(`- ${id}: ${foreignText(reason)}`, width).join('\n  ')}\n`
  }
  for (const fault of faults) text += `${wrap(`- thrown where nobody could catch it: ${foreignText(fault)}`, width).join('\n  ')}\n`
  if (interrupted) text += 'Ended before its time: what comes after was not tested.\n'
  const { latency, throughput, reliability } = report
  const measured: Array<readonly [string, string]> = []
  if (latency !== undefined) measured.push(['Connect', distribution(latency.connect)], ['Round trip', distribution(latency.roundTrip)])
  if (throughput !== undefined) {
    const { downloadBytesPerSecond, uploadBytesPerSecond } = throughput
    measured.push(['Throughput', `download ${rate(downloadBytesPerSecond)}, upload ${rate(uploadBytesPerSecond)} (one stream)`])
  }
  if (reliability !== undefined) measured.push(['Reliability', `${reliability.succeeded} of ${reliability.attempted} connections`])
  return measured.length === 0 ? text : `${text}\n${labelled(measured, width)}`
}

function distribution({ count, p50Ms, p99Ms, maxMs }: Latency): string {
  return `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, longest ${ms(maxMs)} (of ${count})`
}

function ms(value: number): string {
  return `${value >= 100 ? Math.round(value) : value.toFixed(2)} ms`
}
