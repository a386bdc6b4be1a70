import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PIPE_OFFSET_BYTES } from '../../../core/link/constants.ts'
import { PipeHalf } from '../../../core/link/pipe-half.ts'
import { streamWindowBytes } from '../../../core/link/windows.ts'

/** Cuts bytes at the given places, as a network does. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end))
}

it('puts a stream together exactly, however the two connections are cut and interleaved', async () => {
  const turns = fc.array(fc.boolean(), { maxLength: 40 })
  const places = fc.array(fc.nat(2000), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 1500 }),
      fc.uint8Array({ minLength: 1, maxLength: 1500 }),
      places,
      turns,
      async (before, after, cuts, order) => {
        const connection = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
        const pipe = new PipeHalf({ connection })
        const got: Buffer[] = []
        pipe.onChunk = (chunk) => {
          got.push(chunk)
          return true
        }
        const offset = Buffer.alloc(PIPE_OFFSET_BYTES)
        offset.writeBigUInt64BE(BigInt(before.length))
        const viaPipe = cut(Buffer.concat([offset, after]), cuts).filter((part) => part.length > 0)
        const viaLink = cut(Buffer.from(before), cuts)
        let received = 0
        const fromLink = (): void => {
          const part = viaLink.shift()
          if (part === undefined) return
          got.push(part)
          received += part.length
          pipe.receiveFrom(received)
        }
        pipe.receiveFrom(0)
        for (const pipeFirst of order) {
          if (pipeFirst && viaPipe.length > 0) connection.push(viaPipe.shift())
          else fromLink()
          await new Promise((resolve) => setImmediate(resolve))
        }
        while (viaLink.length > 0) fromLink()
        while (viaPipe.length > 0) connection.push(viaPipe.shift())
        await expect.poll(() => pipe.received, { interval: 1 }).toBe(after.length)
        expect(Buffer.concat(got).equals(Buffer.concat([before, after]))).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
})

it('reports the loss of its connection once, and not after it was done with', async () => {
  for (const finished of [false, true]) {
    const connection = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const pipe = new PipeHalf({ connection })
    let lost = 0
    pipe.onLost = () => lost++
    if (finished) pipe.finish()
    connection.destroy(new Error('gone'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(lost).toBe(finished ? 0 : 1)
  }
})

it('shares the budget of a link among its streams', () => {
  const budget = 64 << 20
  expect(streamWindowBytes(0, budget)).toBe(4 << 20)
  expect(streamWindowBytes(16, budget)).toBe(4 << 20)
  expect(streamWindowBytes(17, budget)).toBe(2 << 20)
  expect(streamWindowBytes(100, budget)).toBe(512 << 10)
  expect(streamWindowBytes(4096, budget)).toBe(64 << 10)
  for (let n = 1; n <= 1024; n++) expect(streamWindowBytes(n, budget) * n).toBeLessThanOrEqual(budget)
})
