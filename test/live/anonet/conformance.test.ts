import { describe, expect, it } from 'vitest'
import { play, requireMesh } from './play.ts'

const namespace = requireMesh()
/** Forty seconds on a quiet machine. */
const LIMIT_MS = 400_000

describe.runIf(namespace)('anonet, two nodes of Beam that are friends', () => {
  it('keeps the promises of the contract', { timeout: LIMIT_MS }, async () => {
    const report = await play<ReadonlyArray<{ id: string; result: string; reason?: string }>>(
      namespace!,
      'conformance-scenario.mjs',
      LIMIT_MS,
    )
    expect(report.filter(({ result }) => result === 'broken')).toEqual([])
    const skipped = report.filter(({ result }) => result === 'skipped').map(({ id }) => id)
    // No visitor keys, no domains, no messages or sites; both ends learn of each other. Nothing else may be left out.
    const known = /^(access-|domain-|message-|site-|no-direct|no-dns|visitor-address|keys-move|isolation)/
    expect(skipped.filter((id) => !known.test(id))).toEqual([])
    expect(report.filter(({ result }) => result === 'kept').length).toBeGreaterThan(45)
  })
})
