import { Actors } from './actors.ts'
import { CASES_BY_CHAPTER } from './cases.ts'
import type { ConformanceFixture } from './fixture.ts'
import { measure } from './measure.ts'
import type { Measurements } from './measurements.ts'
import { PROMISES, type Chapter, type PromiseId } from './promises.ts'
import { runCase } from './run-case.ts'
import type { Reliability } from './stage.ts'

/** Time for measuring latency and throughput, in milliseconds on loopback. */
const MEASURING_LIMIT_MS = 60_000

/** How a promise came out. */
export interface PromiseResult {
  readonly id: PromiseId
  readonly chapter: Chapter
  readonly promise: string
  readonly result: 'kept' | 'broken' | 'skipped'
  /** Why it was skipped, or what was seen when it was broken, in one sentence. */
  readonly reason?: string
  /** What was thrown, when it was broken. */
  readonly error?: unknown
}

/** What a run of the suite found out about a backend. */
export interface ConformanceReport {
  readonly name: string
  readonly promises: readonly PromiseResult[]
  /** Absent when connections could not be made at all. */
  readonly reliability?: Reliability
  /** Absent when it could not be measured. */
  readonly latency?: Measurements['latency']
  readonly throughput?: Measurements['throughput']
}

/** What a run may be given. */
export interface ConformanceOptions {
  /** Ends the run; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Told each result as it comes. */
  readonly onResult?: (result: PromiseResult) => void
  /** Only these promises; default: all, and the measurements. */
  readonly only?: readonly PromiseId[]
}

/** Runs the suite without a test runner: the same cases as {@link testBackend}, as a report. */
export async function runConformance(fixture: ConformanceFixture, options: ConformanceOptions = {}): Promise<ConformanceReport> {
  const { signal, onResult, only } = options
  const shared = fixture.reuse === true ? new Actors(fixture) : undefined
  const promises: PromiseResult[] = []
  let reliability: Reliability | undefined
  let measured: Measurements | undefined
  try {
    for (const [chapter, cases] of CASES_BY_CHAPTER) {
      for (const testCase of cases.filter(({ id }) => only?.includes(id) ?? true)) {
        const outcome = await runCase(testCase, fixture, { shared, signal })
        const head = { id: testCase.id, chapter, promise: PROMISES[testCase.id][1] }
        if (outcome.result !== 'skipped') reliability ??= outcome.reliability
        const result: PromiseResult =
          outcome.result === 'kept'
            ? { ...head, result: 'kept' }
            : outcome.result === 'skipped'
              ? { ...head, result: 'skipped', reason: outcome.reason }
              : { ...head, result: 'broken', reason: sentence(outcome.error), error: outcome.error }
        promises.push(result)
        onResult?.(result)
      }
    }
    if (only === undefined) {
      const measuring = {
        limitMs: MEASURING_LIMIT_MS,
        run: async (stage: Parameters<typeof measure>[0]) => void (measured = await measure(stage)),
      }
      await runCase(measuring, fixture, { shared, signal })
    }
  } finally {
    await shared?.[Symbol.asyncDispose]()
  }
  return { name: fixture.name, promises, ...(reliability === undefined ? {} : { reliability }), ...measured }
}

/** The first line of an error: an assertion's further lines show values, which belong to `error`. */
function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
