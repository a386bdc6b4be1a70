import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodePreamble, PREAMBLE_BYTES, readBeginning } from '../../../../core/streams/multipath/preamble.ts'

const preamble = encodePreamble({ kind: 'stream', id: Buffer.alloc(16, 7), windowBytes: 4096 })

it('is made of any first bytes: a preamble, other bytes, or too few of them to tell', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2 * PREAMBLE_BYTES }),
    // Close to a preamble: its beginning, and one that was changed somewhere.
    fc.nat(PREAMBLE_BYTES).map((length) => preamble.subarray(0, length)),
    fc.tuple(fc.nat(PREAMBLE_BYTES - 1), fc.nat(255)).map(([at, value]) => {
      const changed = Buffer.from(preamble)
      changed[at] = value
      return changed
    }),
  )
  fc.assert(
    fc.property(bytes, (given) => {
      const beginning = readBeginning(Buffer.from(given))
      if (typeof beginning === 'string') expect(['plain', 'more', 'foreign']).toContain(beginning)
      else expect(encodePreamble(beginning)).toEqual(Buffer.from(given).subarray(0, PREAMBLE_BYTES))
      if (beginning === 'more') expect(given.length).toBeLessThan(PREAMBLE_BYTES)
    }),
    { numRuns: 2_000 },
  )
})
