import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES, MAX_FRAME_BYTES, type Frame } from '../../../../core/streams/ranges/frame.ts'
import { FrameReader } from '../../../../core/streams/ranges/frame-reader.ts'

const U32 = 0xffff_ffff

const ack = fc
  .tuple(
    fc.integer({ min: 0, max: 2 ** 52 }),
    fc.integer({ min: 0, max: U32 }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 1 << 20 }), fc.integer({ min: 1, max: 1 << 20 })), { maxLength: 8 }),
  )
  .map(([upTo, window, gaps]) => {
    let at = upTo
    const ranges = gaps.map(([gap, length]): [number, number] => {
      const from = at + gap
      at = from + length
      return [from, at]
    })
    return { upTo, window, ranges }
  })

const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom('data', 'ack', 'reset'),
  stream: fc.integer({ min: 0, max: U32 }),
  offset: fc.integer({ min: 0, max: 2 ** 52 }),
  data: fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data)),
  fin: fc.boolean(),
  answer: fc.boolean(),
  resent: fc.boolean(),
  ack: fc.option(ack, { nil: undefined }),
  sentAt: fc.integer({ min: 0, max: U32 }),
  echo: fc.integer({ min: 0, max: U32 }),
})

describe('a frame', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(frame, (given) => {
        expect(decodeFrame(encodeFrame(given))).toEqual(given)
      }),
    )
  })

  it('has the layout that is documented', () => {
    const bytes = encodeFrame({
      type: 'data',
      stream: 7,
      offset: 0x1_0000_0002,
      data: Buffer.from('hi'),
      fin: true,
      answer: false,
      resent: true,
      ack: { upTo: 5, window: 9, ranges: [[8, 10]] },
      sentAt: 0x0a0b0c0d,
      echo: 1,
    })
    expect(bytes.toString('hex')).toBe(
      '030b0100' +
        '00000007' +
        '0000000100000002' +
        '0000000000000005' +
        '00000009' +
        '0a0b0c0d' +
        '00000001' +
        'ffff' +
        '0002' +
        '0000000300000002' +
        '6869',
    )
  })

  it('of other bytes is either refused with the typed error or is one of the format', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
        try {
          const bytes = Buffer.from(noise)
          const read = decodeFrame(bytes)
          expect(encodeFrame(read).length).toBe(bytes.length)
        } catch (error) {
          expect(error).toMatchObject({ kind: 'protocol' })
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('with one byte changed never leads to more data than it has, nor to ranges in disorder', () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.nat({ max: 255 }), (given, at, value) => {
        const bytes = encodeFrame(given)
        bytes[at % bytes.length] = value
        try {
          const { data, ack: read } = decodeFrame(bytes)
          expect(data.length).toBeLessThanOrEqual(bytes.length - FRAME_HEADER_BYTES)
          let last = read?.upTo ?? 0
          for (const [from, to] of read?.ranges ?? []) {
            expect(from).toBeGreaterThan(last)
            expect(to).toBeGreaterThan(from)
            last = to
          }
        } catch (error) {
          expect(error).toMatchObject({ kind: 'protocol' })
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a reader of frames', () => {
  it('finds the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encodeFrame))
        const reader = new FrameReader()
        const read: Frame[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const length = cuts[turn % cuts.length] as number
          read.push(...reader.push(bytes.subarray(at, at + length)))
          at += length
        }
        expect(read).toEqual(frames)
      }),
    )
  })

  it('refuses what can be no frame before it holds much of it', () => {
    const bytes = Buffer.alloc(MAX_FRAME_BYTES, 0xff)
    expect(() => new FrameReader().push(bytes.subarray(0, FRAME_HEADER_BYTES))).toThrow(/type/)
  })
})
