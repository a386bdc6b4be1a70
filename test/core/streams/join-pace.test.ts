import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { join } from '../../../core/streams/join.ts'

/** A source that does not stop at once when it is paused, as a link does not: what is under way still comes. */
class Eager extends Duplex {
  readonly got: Buffer[] = []

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.got.push(chunk)
    done()
  }

  send(chunk: Buffer): void {
    this.emit('data', chunk)
  }
}

it('tells of every chunk, also of those that come while the direction rests', async () => {
  const [a, b] = [new Eager(), new Eager()]
  let told = 0
  const ended = join(a, b, { pace: (bytes) => ((told += bytes), 5) })
  for (let count = 0; count < 10; count++) a.send(Buffer.alloc(1000))
  expect(told).toBe(10_000)
  a.push(null)
  b.push(null)
  expect((await ended).bytesAToB).toBe(10_000)
  expect(Buffer.concat(b.got).length).toBe(10_000)
})
