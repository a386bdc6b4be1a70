import { Actors } from './actors.ts'
import { CASES_BY_CHAPTER } from './cases.ts'
import type { ConformanceFixture } from './fixture.ts'
import { measure } from './measure.ts'
import type { Measurements } from './measurements.ts'
import { PROMISES } from './promises.ts'
import { hardLimitMs, runCase, type CaseResult } from './run-case.ts'

/** What a test may do besides passing or failing. */
export interface TestContext {
  /** Reports the test as skipped, with the reason. */
  skip(reason: string): unknown
}

/** A test runner, as far as the suite needs it: vitest and `node:test` fit. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  /** `timeoutMs` may be ignored. */
  it(name: string, body: (context: TestContext) => Promise<void>, timeoutMs?: number): unknown
}

/** Time for measuring latency and throughput, in milliseconds on loopback. */
const MEASURING_LIMIT_MS = 60_000

/**
 * Declares the conformance suite for a backend: one test for each promise of the contract. What a network cannot do is reported as
 * skipped with the reason, never passed over in silence.
 *
 * @example
 * import { describe, it } from 'vitest' // or from 'node:test'
 * testBackend({ describe, it }, { name: 'my network', create: () => new MyBackend() })
 */
export function testBackend({ describe, it }: Runner, fixture: ConformanceFixture): void {
  const shared = fixture.reuse === true ? new Actors(fixture) : undefined
  describe(`${fixture.name} keeps the contract of NetworkBackend`, () => {
    for (const [chapter, cases] of CASES_BY_CHAPTER) {
      describe(chapter, () => {
        for (const testCase of cases) {
          const body = async (context: TestContext): Promise<void> => report(await runCase(testCase, fixture, { shared }), context)
          it(`${testCase.id}: ${PROMISES[testCase.id][1]}`, body, hardLimitMs(testCase, fixture))
        }
      })
    }
    it(
      'latency and throughput are measured',
      async (context) => {
        let measured: Measurements | undefined
        const measuring = {
          limitMs: MEASURING_LIMIT_MS,
          run: async (stage: Parameters<typeof measure>[0]) => void (measured = await measure(stage)),
        }
        const result = await runCase(measuring, fixture, { shared })
        if (measured !== undefined) fixture.onMeasured?.(measured)
        await shared?.[Symbol.asyncDispose]()
        report(result, context)
      },
      hardLimitMs({ limitMs: MEASURING_LIMIT_MS }, fixture),
    )
  })
}

function report(result: CaseResult, context: TestContext): void {
  if (result.result === 'broken') throw result.error
  if (result.result === 'skipped') context.skip(result.reason)
}
