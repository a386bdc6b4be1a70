import {
  MemoryNetwork,
  PROMISE_IDS,
  runConformance,
  type ConformanceFixture,
  type PromiseId,
  type Sizes,
} from '../../core/testing/index.ts'
import { flawed, MemoryEverything } from './flawed.ts'
import type { FlawRow, MakeFlaw } from './flaw-parts.ts'

/** Small and quick: a flaw shows at any size. */
const SIZES: Partial<Sizes> = {
  resets: 30,
  bulkBytes: 512 * 1024,
  parallel: 8,
  stalled: 12,
  sequential: 12,
  maxBufferedBytes: 16 * 1024 * 1024,
}

/** For flaws that no amount of traffic makes plainer. */
export const LITTLE_TRAFFIC: Partial<Sizes> = { ...SIZES, resets: 3, bulkBytes: 64 * 1024, parallel: 2, stalled: 1, sequential: 2 }

/** The promises that the suite finds broken when every backend of the pair has this flaw. */
export async function brokenBy(makeFlaw: MakeFlaw, extra: Partial<ConformanceFixture> = {}): Promise<readonly PromiseId[]> {
  const network = new MemoryNetwork()
  const create = (): MemoryEverything => {
    const backend = new MemoryEverything({ network })
    return flawed(backend, makeFlaw(backend))
  }
  const reader = new MemoryEverything({ network })
  const fixture = { name: 'flawed', create, pair: create, timeScale: 0.1, sizes: SIZES, fetchSite: reader.fetchSite.bind(reader), ...extra }
  const { promises } = await runConformance(fixture, { only: PROMISE_IDS })
  return promises.filter(({ result }) => result === 'broken').map(({ id }) => id)
}

/** Rows with named columns, as `it.each` takes them. */
export function asCases(
  rows: readonly FlawRow[],
): Array<{ what: string; breaks: readonly PromiseId[]; flaw: MakeFlaw; extra: FlawRow[3] }> {
  return rows.map(([what, breaks, flaw, extra]) => ({ what, breaks, flaw, extra }))
}
