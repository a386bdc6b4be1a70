import { describe, expect, it } from 'vitest'
import { RangePath, STREAM_PATH } from '../../../../core/streams/ranges/range-path.ts'
import { RangeSender } from '../../../../core/streams/ranges/range-sender.ts'
import { seededRandom } from '../../../../core/testing/random.ts'

const WINDOW_BYTES = 1 << 22

/** Paths that have carried something each, as it says, and a sender that has nothing on its way. */
function idle(...carried: ReadonlyArray<{ readonly rttMs: number; readonly bytes: number; readonly inMs: number }>): {
  readonly sender: RangeSender
  readonly paths: readonly RangePath[]
} {
  const sender = new RangeSender(WINDOW_BYTES)
  const paths = carried.map(({ rttMs, bytes, inMs }) => {
    const path = new RangePath({ ...STREAM_PATH, initialRttMs: rttMs })
    sender.addPath(path)
    if (bytes > 0) {
      path.inFlightBytes = bytes
      path.delivered(bytes, { sentAtMs: 0, deliveredBefore: 0 }, inMs)
      path.sample(inMs, inMs)
    }
    return path
  })
  return { sender, paths }
}

describe('something new', () => {
  it('is sent although each of two paths would be better for a segment of the length of the other', () => {
    const { sender, paths } = idle({ rttMs: 1, bytes: 17_898, inMs: 1 }, { rttMs: 2.6, bytes: 0, inMs: 0 })
    sender.buffer.end()
    const sent = paths.filter((path) => sender.next(path, 1_000) !== undefined)
    expect(sent).toHaveLength(1)
  })

  it.each([1, 2, 3])('is always sent at once when all paths are idle, whatever their figures (seed %i)', (seed) => {
    const random = seededRandom(seed)
    const between = (least: number, most: number): number => least * (most / least) ** random()
    const stuck: unknown[] = []
    for (let times = 0; times < 2_000; times++) {
      const figures = Array.from({ length: 2 + Math.floor(random() * 3) }, () => ({
        rttMs: between(0.5, 5_000),
        bytes: random() < 0.3 ? 0 : Math.floor(between(1, 65_536)),
        inMs: Math.ceil(between(0.5, 5_000)),
      }))
      const { sender, paths } = idle(...figures)
      sender.buffer.write(new Uint8Array(100))
      if (!paths.some((path) => sender.next(path, 10_000) !== undefined)) stuck.push(figures)
    }
    expect(stuck).toEqual([])
  })
})
