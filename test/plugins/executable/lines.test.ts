import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, LineTooLongError } from '../../../plugins/executable/lines.ts'

function split(chunks: readonly Buffer[], maxBytes = 1_000): string[] {
  const splitter = new LineSplitter(maxBytes)
  return chunks.flatMap((chunk) => [...splitter.push(chunk)].map(String))
}

describe('LineSplitter', () => {
  it('finds the same lines wherever the chunks are cut', () => {
    const lines = fc.array(fc.string().filter((line) => !/[\r\n]/.test(line)))
    fc.assert(
      fc.property(lines, fc.array(fc.nat(50)), (wanted, cuts) => {
        let rest = Buffer.from(wanted.map((line) => `${line}\n`).join(''))
        const chunks: Buffer[] = []
        for (const cut of cuts) {
          chunks.push(rest.subarray(0, cut))
          rest = rest.subarray(cut)
        }
        expect(split([...chunks, rest], 100_000)).toEqual(wanted)
      }),
    )
  })

  it('takes a carriage return for a part of the line’s end', () => {
    expect(split([Buffer.from('a\r'), Buffer.from('\nb\r\n')])).toEqual(['a', 'b'])
  })

  it('keeps no more than the limit of a line without an end', () => {
    const splitter = new LineSplitter(10)
    expect([...splitter.push(Buffer.from('0123456789'))]).toEqual([])
    expect(() => [...splitter.push(Buffer.from('x'))]).toThrow(LineTooLongError)
  })

  it('gives out lines of exactly the limit', () => {
    expect(split([Buffer.from('0123456789\n')], 10)).toEqual(['0123456789'])
  })
})
