import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sleep, systemClock } from '../../core/index.ts'

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('tells the time since the epoch, and a time that does not follow when the clock is set', () => {
    const start = systemClock.monotonic()
    vi.setSystemTime(1_000_000)
    expect(systemClock.now()).toBe(1_000_000)
    expect(systemClock.monotonic()).toBe(start)
    vi.advanceTimersByTime(250)
    expect(systemClock.monotonic() - start).toBe(250)
  })

  it('calls once after the time, and not at all when it is cancelled', () => {
    const calls: string[] = []
    systemClock.after(100, () => calls.push('kept'), { unref: true })
    systemClock.after(100, () => calls.push('cancelled'))()
    vi.advanceTimersByTime(99)
    expect(calls).toEqual([])
    vi.advanceTimersByTime(1000)
    expect(calls).toEqual(['kept'])
  })

  it('calls again and again until it is told to stop', () => {
    let count = 0
    const stop = systemClock.every(100, () => count++)
    vi.advanceTimersByTime(350)
    stop()
    vi.advanceTimersByTime(1000)
    expect(count).toBe(3)
  })
})

describe('sleep', () => {
  it('waits at least as long as it is told', async () => {
    const start = systemClock.monotonic()
    await sleep(20)
    expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(19)
  })

  it('rejects at once with the reason of a signal that has fired', async () => {
    const reason = new Error('enough')
    await expect(sleep(60_000, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('rejects with the reason as soon as the signal fires, and leaves no timer behind', async () => {
    const cancelled: string[] = []
    const clock = { ...systemClock, after: () => () => void cancelled.push('timer') }
    const controller = new AbortController()
    const waiting = sleep(60_000, { signal: controller.signal, clock })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(cancelled).toEqual(['timer'])
  })

  it('lets go of the signal when the time is over', async () => {
    const controller = new AbortController()
    const remove = vi.spyOn(controller.signal, 'removeEventListener')
    await sleep(1, { signal: controller.signal })
    expect(remove).toHaveBeenCalledTimes(1)
  })
})
