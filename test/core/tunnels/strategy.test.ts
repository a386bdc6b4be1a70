import { describe, expect, it } from 'vitest'
import { strategyOf, type LegState, type LegView } from '../../../core/tunnels/strategy.ts'

const leg = (state: LegState, sinceMs = 0, wasUp = state === 'up' || state === 'down', falls = 0): LegView => ({
  state,
  sinceMs,
  wasUp,
  falls,
})
const wanted = (decision: { want: ReadonlySet<number> }): number[] => [...decision.want]

describe('priority', () => {
  const decide = strategyOf('priority')

  it('starts the best leg only', () => {
    expect(wanted(decide([leg('idle'), leg('idle')]))).toEqual([0])
    expect(wanted(decide([leg('starting'), leg('idle')]))).toEqual([0])
  })

  it('goes on to the next when one cannot be started', () => {
    expect(wanted(decide([leg('failed'), leg('idle')]))).toEqual([1])
    expect(wanted(decide([leg('failed'), leg('failed')]))).toEqual([])
  })

  it('never moves once a leg was up, whatever happens to it', () => {
    expect(decide([leg('failed'), leg('up')])).toEqual({ want: new Set([1]), primary: 1 })
    expect(decide([leg('idle'), leg('down', 999_999)])).toEqual({ want: new Set([1]) })
  })
})

describe('load-balance', () => {
  it('wants every leg and names the first that is up', () => {
    expect(strategyOf('load-balance')([leg('failed'), leg('up'), leg('up')])).toEqual({ want: new Set([0, 1, 2]), primary: 1 })
    expect(strategyOf('load-balance')([leg('idle'), leg('idle')])).toEqual({ want: new Set([0, 1]) })
  })
})

describe('multipath', () => {
  it('wants every leg, as load-balance does', () => {
    expect(strategyOf('multipath')([leg('failed'), leg('up'), leg('up')])).toEqual({ want: new Set([0, 1, 2]), primary: 1 })
  })
})

describe('fallback', () => {
  const decide = strategyOf('fallback', { failAfterMs: 3_000, recoverAfterMs: 30_000 })

  it('starts one leg at a time, best first', () => {
    expect(wanted(decide([leg('idle'), leg('idle'), leg('idle')]))).toEqual([0])
    expect(wanted(decide([leg('failed'), leg('idle'), leg('idle')]))).toEqual([0, 1])
  })

  it('does not move for a short failure, and asks to be asked again', () => {
    expect(decide([leg('down', 1_000), leg('idle')])).toEqual({ want: new Set([0]), againMs: 2_000 })
  })

  it('moves down when the failure lasts, and keeps the better leg trying', () => {
    expect(decide([leg('down', 3_000), leg('idle')])).toEqual({ want: new Set([0, 1]) })
    expect(decide([leg('down', 9_000), leg('up', 100)])).toEqual({ want: new Set([0, 1]), primary: 1 })
  })

  it('keeps the lower leg until the better one has proved itself', () => {
    expect(decide([leg('up', 10_000), leg('up', 60_000)])).toEqual({ want: new Set([0, 1]), primary: 1, againMs: 20_000 })
    expect(decide([leg('up', 30_000), leg('up', 60_000)])).toEqual({ want: new Set([0]), primary: 0 })
  })

  it('trusts a leg that fell again and again later each time, up to eight minutes', () => {
    const trial = (falls: number): number | undefined => decide([leg('up', 0, true, falls), leg('up', 60_000)]).againMs
    expect([0, 1, 2, 3, 4, 5, 6, 50].map(trial)).toEqual([30_000, 30_000, 60_000, 120_000, 240_000, 480_000, 480_000, 480_000])
    const slow = strategyOf('fallback', { failAfterMs: 3_000, recoverAfterMs: 900_000 })
    expect(slow([leg('up', 0, true, 9), leg('up', 60_000)]).againMs).toBe(900_000)
  })

  it('does not end at a better leg that fails again while a lower one carries the tunnel', () => {
    expect(decide([leg('down', 100), leg('up', 60_000)])).toEqual({ want: new Set([0, 1]), primary: 1 })
  })

  it('takes the better leg at once when the lower one is not up yet', () => {
    expect(decide([leg('up', 10), leg('starting', 2_000)])).toEqual({ want: new Set([0]), primary: 0 })
  })

  it('wants everything when nothing works', () => {
    expect(wanted(decide([leg('failed'), leg('failed')]))).toEqual([0, 1])
  })
})
