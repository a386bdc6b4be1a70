import { setMaxListeners } from 'node:events'
import { TimeoutError } from '../../errors.ts'
import { within } from '../../tunnels/within.ts'
import { Actors } from './actors.ts'
import type { Case } from './case.ts'
import type { ConformanceFixture } from './fixture.ts'
import type { PromiseId } from './promises.ts'
import { Skipped } from './skipped.ts'
import { Stage, type Reliability } from './stage.ts'

/** Time of a case that states none, in milliseconds on loopback. */
const DEFAULT_LIMIT_MS = 15_000
/** Time for clearing away beyond the limit of a case, in milliseconds on loopback. */
const CLEARING_MS = 10_000

/** How one case came out. */
export type CaseResult =
  | { readonly result: 'kept'; readonly reliability?: Reliability }
  | { readonly result: 'broken'; readonly error: unknown; readonly reliability?: Reliability }
  | { readonly result: 'skipped'; readonly reason: string }

/** Longest time that a case may take with everything, in milliseconds. */
export function hardLimitMs({ limitMs = DEFAULT_LIMIT_MS }: Pick<Case, 'limitMs'>, { timeScale = 1 }: ConformanceFixture): number {
  return (limitMs + CLEARING_MS) * timeScale
}

/** Runs one case on a fixture. `shared` = the backends that it uses (a pair of its own when absent). Rejects only with the signal's reason. */
export async function runCase(
  testCase: Pick<Case, 'limitMs' | 'run'> & { readonly id?: PromiseId },
  fixture: ConformanceFixture,
  options: { readonly shared?: Actors | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<CaseResult> {
  const cannot = testCase.id === undefined ? undefined : fixture.cannot?.[testCase.id]
  if (cannot !== undefined) return { result: 'skipped', reason: cannot }

  const limitMs = (testCase.limitMs ?? DEFAULT_LIMIT_MS) * (fixture.timeScale ?? 1)
  const timeUp = new AbortController()
  const signal = AbortSignal.any([timeUp.signal, ...(options.signal === undefined ? [] : [options.signal])])
  // A case dials a hundred streams with one signal, and each may listen to it.
  setMaxListeners(0, signal)
  const actors = options.shared ?? new Actors(fixture)
  const stage = new Stage(fixture, actors, signal)
  const reliability = (): { reliability?: Reliability } => (stage.reliability === undefined ? {} : { reliability: stage.reliability })
  try {
    await within(testCase.run(stage), { ms: limitMs, what: 'The case', signal: options.signal })
    return { result: 'kept', ...reliability() }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof Skipped) return { result: 'skipped', reason: error.message }
    return { result: 'broken', error, ...reliability() }
  } finally {
    timeUp.abort(new TimeoutError('The case is over.'))
    await stage[Symbol.asyncDispose]().catch(() => {})
    if (options.shared === undefined) await actors[Symbol.asyncDispose]()
  }
}
