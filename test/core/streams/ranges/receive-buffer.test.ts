import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ReceiveBuffer } from '../../../../core/streams/ranges/receive-buffer.ts'

const TEXT = Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 7) % 251))

function readAll(buffer: ReceiveBuffer): Buffer {
  const chunks: Uint8Array[] = []
  for (let chunk = buffer.read(); chunk !== undefined; chunk = buffer.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

it('puts ranges that come in any order, overlap and repeat together as they were', () => {
  const range = fc.tuple(fc.nat({ max: 399 }), fc.integer({ min: 1, max: 80 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(range, { maxLength: 60 }), (ranges) => {
      const buffer = new ReceiveBuffer(() => 1_000)
      const out: Buffer[] = []
      const seen = new Set<number>()
      for (const [from, length, reads] of ranges) {
        const data = TEXT.subarray(from, from + length)
        const fresh = Array.from({ length: data.length }, (_, index) => from + index).filter((at) => !seen.has(at))
        expect(buffer.insert(from, data, false)).toBe(fresh.length > 0 ? 'new' : 'duplicate')
        for (const at of fresh) seen.add(at)
        if (reads) out.push(readAll(buffer))
        const { upTo, ranges: told } = buffer.acknowledge()
        for (let at = 0; at < upTo; at++) expect(seen.has(at)).toBe(true)
        expect(seen.has(upTo)).toBe(false)
        for (const [start, end] of told) for (let at = start; at < end; at++) expect(seen.has(at)).toBe(true)
      }
      out.push(readAll(buffer))
      const read = Buffer.concat(out)
      expect(read.equals(TEXT.subarray(0, read.length))).toBe(true)
      // Then the rest, and the end.
      expect(buffer.insert(0, TEXT, true)).toBe('new')
      expect(Buffer.concat([read, readAll(buffer)]).equals(TEXT)).toBe(true)
      expect(buffer.drained).toBe(true)
      expect(buffer.heldBytes).toBe(0)
    }),
  )
})

it('takes nothing beyond what it granted, and never takes a grant back', () => {
  let windowBytes = 100
  const buffer = new ReceiveBuffer(() => windowBytes)
  expect(buffer.insert(0, TEXT.subarray(0, 101), false)).toBe('beyond')
  expect(buffer.insert(0, TEXT.subarray(0, 60), false)).toBe('new')
  windowBytes = 10
  expect(buffer.acknowledge()).toMatchObject({ upTo: 60, window: 40 })
  expect(buffer.insert(60, TEXT.subarray(60, 100), false)).toBe('new')
  expect(buffer.acknowledge()).toMatchObject({ upTo: 100, window: 0 })
  expect(buffer.insert(100, TEXT.subarray(100, 101), false)).toBe('beyond')
  expect(readAll(buffer).equals(TEXT.subarray(0, 100))).toBe(true)
  expect(buffer.windowOpened).toBe(true)
  expect(buffer.acknowledge()).toMatchObject({ window: 10 })
})

it('refuses an end that contradicts what came', () => {
  const buffer = new ReceiveBuffer(() => 1_000)
  expect(buffer.insert(50, TEXT.subarray(50, 60), false)).toBe('new')
  expect(buffer.insert(0, TEXT.subarray(0, 40), true)).toBe('conflict')
  expect(buffer.insert(60, new Uint8Array(0), true)).toBe('new')
  expect(buffer.insert(61, TEXT.subarray(61, 62), false)).toBe('conflict')
  expect(buffer.insert(50, TEXT.subarray(50, 59), true)).toBe('conflict')
  expect(buffer.insert(0, TEXT.subarray(0, 50), false)).toBe('new')
  expect(buffer.acknowledge().upTo).toBe(61)
})

it('does not hold thousands of single bytes behind a gap', () => {
  const buffer = new ReceiveBuffer(() => 1 << 20)
  const results = new Set<string>()
  for (let at = 1; at < 20_000; at += 2) results.add(buffer.insert(at, TEXT.subarray(0, 1), false))
  expect(results).toContain('flooded')
})

it('tells of all ranges in turn when they do not fit into one acknowledgement', () => {
  const buffer = new ReceiveBuffer(() => 1 << 20)
  for (let at = 1; at < 40; at += 2) buffer.insert(at, TEXT.subarray(at, at + 1), false)
  const told = new Set<number>()
  for (let turn = 0; turn < 3; turn++) for (const [from] of buffer.acknowledge().ranges) told.add(from)
  expect(told.size).toBe(20)
})

it('gathers small pieces that wait for a slow reader', () => {
  const buffer = new ReceiveBuffer(() => 1 << 20)
  for (let at = 0; at < 400; at++) buffer.insert(at, TEXT.subarray(at, at + 1), false)
  const first = buffer.read() as Uint8Array
  const second = buffer.read() as Uint8Array
  expect(first.length + second.length).toBe(400)
  expect(Buffer.concat([first, second]).equals(TEXT)).toBe(true)
})
