import type { Logger } from '../core/index.ts'
import { runConformance, type PromiseId, type PromiseResult } from '../core/testing/index.ts'
import { openBench } from '../plugins/test-bench.ts'
import { temporaryHome } from './input/temporary-home.ts'
import { Interrupted, Lifetime } from './lifetime.ts'
import { writeJson } from './output/config-text.ts'
import { ConformanceOutput } from './output/conformance-output.ts'

/** How `beam backend test` runs the suite. */
export interface TestOptions {
  readonly network: boolean
  readonly json: boolean
  readonly logger: Logger
  readonly timeScale?: number
  readonly only?: readonly PromiseId[]
}

/** Runs the conformance suite against a backend and prints what it finds, as it comes. Resolves with whether all is well. */
export async function testBackend(what: string, { network, json, logger, timeScale, only }: TestOptions): Promise<boolean> {
  using lifetime = new Lifetime()
  await using home = await temporaryHome()
  const output = new ConformanceOutput(json ? writeJson : undefined)
  using _faults = output.watchFaults()
  await using bench = await openBench(what, {
    home: home.path,
    network,
    logger,
    signal: lifetime.signal,
    onFault: output.fault,
    ...(timeScale === undefined ? {} : { timeScale }),
  })
  output.begin(bench.fixture.name, network ? undefined : bench.local)
  const promises: PromiseResult[] = []
  const onResult = (result: PromiseResult): void => {
    promises.push(result)
    output.promise(result)
  }
  try {
    const options = { signal: lifetime.signal, onResult, ...(only === undefined ? {} : { only }) }
    output.end(await runConformance(bench.fixture, options), false)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    output.end({ name: bench.fixture.name, promises }, true)
  }
  return output.passed
}
