import { describe, expect, it } from 'vitest'
import { WayChoice, type Choosable } from '../../../core/tunnels/way-choice.ts'

const way = (label: string, latencyMs?: number): Choosable => ({
  label,
  state: 'up',
  weight: 1,
  figures: latencyMs === undefined ? {} : { latencyMs },
})

/** The head start of a way beside one that is much faster. */
const headStart = (latencyMs?: number): number => {
  const ways = [way('it', latencyMs), way('fast', 1)]
  return new WayChoice('load-balance').headStartMs(ways[0] as Choosable, ways[1], ways)
}

describe('the head start of a way', () => {
  it('is twice what it usually takes, within bounds', () => {
    expect(headStart(5)).toBe(50)
    expect(headStart(60)).toBe(120)
    expect(headStart(150)).toBe(250)
    expect(headStart()).toBe(200)
  })

  it('is never less than a slow network usually takes, so that it is used beside fast ones', () => {
    expect(headStart(600)).toBe(900)
    expect(headStart(4_000)).toBe(6_000)
  })
})
