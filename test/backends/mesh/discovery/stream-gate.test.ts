import { describe, expect, it } from 'vitest'
import { StreamGate } from '../../../../backends/mesh/discovery/stream-gate.ts'
import { ManualClock } from './manual-clock.ts'

const limits = { maxOpen: 3, maxPending: 2, pendingMs: 10_000 }

describe('StreamGate', () => {
  it('lets so many try at a time, and more when attempts have succeeded or grown old', async () => {
    const clock = new ManualClock()
    const gate = new StreamGate(limits, clock)
    expect([gate.admit(), gate.admit(), gate.admit()]).toEqual([true, true, false])
    gate.opened()
    expect([gate.admit(), gate.admit()]).toEqual([true, false])
    await clock.advance(10_000)
    expect([gate.admit(), gate.admit(), gate.admit()]).toEqual([true, true, false])
  })

  it('lets nobody try while as many are open as may be', () => {
    const gate = new StreamGate(limits, new ManualClock())
    for (let i = 0; i < 3; i++) {
      expect(gate.admit()).toBe(true)
      gate.opened()
    }
    expect(gate.admit()).toBe(false)
    gate.closed()
    expect(gate.admit()).toBe(true)
  })
})
