import assert from 'node:assert/strict'
import { ending, readExactly } from '../bytes.ts'
import type { Case } from '../case.ts'
import { outcome } from '../outcome.ts'
import { echo } from '../service.ts'

/** How often it works. */
export const reliability: readonly Case[] = [
  {
    id: 'sequential-connections',
    limitMs: 60_000,
    async run(stage) {
      const { address } = await stage.tunnel(echo)
      const attempted = stage.sizes.sequential
      let succeeded = 0
      let failure: unknown
      for (let count = 0; count < attempted; count += 1) {
        const exchanged = await outcome(async () => {
          const stream = await stage.dial(address)
          stream.write(`hello ${count}`)
          const answer = await stage.within(readExactly(stream, `hello ${count}`.length), 5_000, 'The answer')
          assert.equal(answer.toString(), `hello ${count}`)
          stream.end()
          assert.equal(await stage.within(ending(stream), 5_000, 'The end'), 'end', 'the stream was reset')
        })
        if (exchanged.ok) succeeded += 1
        else failure ??= exchanged.error
      }
      stage.reliability = { attempted, succeeded }
      assert.equal(succeeded, attempted, `${succeeded} of ${attempted} connections succeeded; the first failure: ${String(failure)}`)
    },
  },
]
