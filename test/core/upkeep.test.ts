import { describe, expect, it, vi } from 'vitest'
import { Upkeep } from '../../core/upkeep.ts'
import { ManualClock, settle } from '../backends/mesh/discovery/manual-clock.ts'

const backoff = { baseMs: 100, maxMs: 1_000, random: () => 0.5 }

describe('Upkeep', () => {
  it('repeats what succeeded, up to a tenth earlier than told', async () => {
    const clock = new ManualClock()
    const work = vi.fn(async () => {})
    const upkeep = new Upkeep({ clock, work, onFailure: vi.fn(), backoff, everyMs: 10_000 })
    upkeep.wake()
    await settle()
    expect(clock.waiting).toEqual([9_500])
    await clock.advance(9_499)
    expect(work).toHaveBeenCalledTimes(1)
    await clock.advance(1)
    expect(work).toHaveBeenCalledTimes(2)
    await upkeep.stop()
    expect(clock.waiting).toEqual([])
  })

  it('waits longer after each failure, and tells of each', async () => {
    const clock = new ManualClock()
    const onFailure = vi.fn()
    const upkeep = new Upkeep({ clock, work: () => Promise.reject(new Error('no')), onFailure, backoff })
    upkeep.wake()
    await settle()
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      waits.push(...clock.waiting)
      await clock.advance(clock.waiting[0] ?? 0)
    }
    expect(waits).toEqual([50, 100, 200, 400, 500, 500])
    expect(onFailure).toHaveBeenCalledTimes(7)
    await upkeep.stop()
  })

  it('works at once when woken, and once more when woken while it works', async () => {
    const clock = new ManualClock()
    let finish = (): void => {}
    const work = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const upkeep = new Upkeep({ clock, work, onFailure: vi.fn(), backoff })
    upkeep.wake()
    upkeep.wake()
    upkeep.wake()
    finish()
    await settle()
    expect(work).toHaveBeenCalledTimes(2)
    finish()
    await settle()
    expect(work).toHaveBeenCalledTimes(2)
    upkeep.wake()
    await settle()
    expect(work).toHaveBeenCalledTimes(3)
    finish()
    await upkeep.stop()
  })

  it('tells the work that it ends, waits for it, and cannot be woken afterwards', async () => {
    const clock = new ManualClock()
    const onFailure = vi.fn()
    const work = vi.fn(
      (signal: AbortSignal) => new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const upkeep = new Upkeep({ clock, work, onFailure, backoff })
    upkeep.wake()
    await upkeep.stop()
    upkeep.wake()
    await settle()
    expect(work).toHaveBeenCalledTimes(1)
    expect(onFailure).not.toHaveBeenCalled()
    expect(clock.waiting).toEqual([])
  })
})
