import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../../cli/daemon/journal.ts'
import { LineStream } from '../../../cli/daemon/line-stream.ts'
import { MAX_HISTORY, MAX_HISTORY_BYTES } from '../../../cli/daemon/protocol.ts'

const linesOf = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown)

describe('LineStream', () => {
  it('loses nothing without telling, in order, and always delivers the last line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), fc.integer({ min: 20, max: 200 }), async (reads, maxBytes) => {
        const out = new PassThrough({ highWaterMark: 30 })
        const lines = new LineStream(out, { maxBytes })
        let text = ''
        for (const [index, reading] of reads.entries()) {
          lines.write({ index })
          if (!reading) continue
          text += String(out.read() ?? '')
          await new Promise((resolve) => setImmediate(resolve))
        }
        lines.end({ last: true })
        out.on('data', (chunk) => (text += String(chunk)))
        await once(out, 'end')
        const seen = linesOf(text) as Array<{ index?: number; missed?: number; last?: boolean }>
        expect(seen.at(-1)).toEqual({ last: true })
        let next = 0
        for (const { index, missed } of seen.slice(0, -1)) {
          if (missed === undefined) expect(index).toBe(next)
          next += missed ?? 1
        }
        expect(next).toBe(reads.length)
      }),
    )
  })

  it('is silent after its end and for a reader that is gone', async () => {
    const out = new PassThrough()
    const lines = new LineStream(out)
    lines.end()
    lines.write({})
    lines.end({})
    expect(await out.toArray()).toEqual([])
    const gone = new PassThrough()
    const late = new LineStream(gone)
    gone.destroy(new Error('gone'))
    late.write({})
    late.end({})
  })
})

describe('Journal', () => {
  it('keeps so many events and so many bytes', () => {
    const journal = new Journal()
    for (let index = 0; index < MAX_HISTORY + 10; index++) journal.add({ event: 'stopped', tunnel: 'a', reason: String(index) })
    expect(journal.last(10_000)).toHaveLength(MAX_HISTORY)
    expect(journal.last(1)).toMatchObject([{ event: { reason: String(MAX_HISTORY + 9) } }])
    expect(journal.last(0)).toEqual([])
    for (let index = 0; index < 20; index++) journal.add({ event: 'stopped', tunnel: 'b', reason: 'x'.repeat(100_000) })
    expect(JSON.stringify(journal.last(10_000)).length).toBeLessThan(MAX_HISTORY_BYTES + 2_000)
    expect(journal.last(3, 'b')).toHaveLength(3)
    expect(journal.last(3, 'c')).toEqual([])
  })
})
