/**
 * Comparing networks: the same load through each of them, in turns, beside the same load without any.
 * @packageDocumentation
 */
export { openBenchmark, MIN_ROUNDS, type Benchmark, type BenchmarkOptions, type BenchmarkProgress } from './benchmark.ts'
export type { BenchmarkLimits } from './verdict.ts'
export type * from './report.generated.ts'
