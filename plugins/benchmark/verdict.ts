import type { BenchmarkCheck, BenchmarkNetwork, BenchmarkVerdict } from './report.generated.ts'

/** What every network has to keep. */
export interface BenchmarkLimits {
  /** Largest 99th percentile of the open-loop requests, in milliseconds. */
  readonly maxP99Ms?: number
  /** Least share of requests and transfers that succeed, from 0 to 1. */
  readonly minSuccess?: number
}

/** Whether every network keeps the limits. One that could not be measured keeps none; without limits all is well. */
export function verdictOf(networks: readonly BenchmarkNetwork[], { maxP99Ms, minSuccess }: BenchmarkLimits): BenchmarkVerdict {
  const checks = networks.flatMap(({ name, figures }): BenchmarkCheck[] => {
    const p99 = figures?.requests?.p99Ms
    const share = figures !== undefined && figures.success.attempted > 0 ? figures.success.share : undefined
    return [
      ...(maxP99Ms === undefined ? [] : [check(name, 'p99Ms', maxP99Ms, p99, (value) => value <= maxP99Ms)]),
      ...(minSuccess === undefined ? [] : [check(name, 'success', minSuccess, share, (value) => value >= minSuccess)]),
    ]
  })
  return { passed: checks.every(({ passed }) => passed), checks }
}

function check(
  backend: string,
  what: BenchmarkCheck['what'],
  limit: number,
  value: number | undefined,
  keeps: (value: number) => boolean,
): BenchmarkCheck {
  return { backend, what, limit, ...(value === undefined ? {} : { value }), passed: value !== undefined && keeps(value) }
}
