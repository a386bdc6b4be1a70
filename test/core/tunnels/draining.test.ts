import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { PublishEvent } from '../../../core/tunnels/events.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { faulty, type Faulty } from '../../../core/testing/fault-injection.ts'
import { echoServer, handleOf, ManualClock, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

interface Stage {
  readonly tunnel: Tunnel
  readonly time: ManualClock
  readonly events: PublishEvent[]
  readonly high: Faulty<PuppetBackend>
  readonly low: Faulty<PuppetBackend>
  readonly carriers: () => string[]
  /** A visitor on the lower network. */
  readonly visitor: Duplex
}

/** A tunnel that fell to its second network, where somebody visits it. */
async function fallen(): Promise<Stage> {
  const time = new ManualClock()
  const echo = await echoServer()
  open.push(echo.close)
  const events: PublishEvent[] = []
  const [high, low] = [faulty(new PuppetBackend('high'), {}, time), faulty(new PuppetBackend('low'), {}, time)]
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: [handleOf(high), handleOf(low)],
    strategy: 'fallback',
    clock: time,
    onEvent: (event) => events.push(event),
  })
  open.push(() => tunnel.stop())
  const carriers = (): string[] => tunnel.snapshot().endpoints.flatMap(({ backend, state }) => (state === 'active' ? [backend] : []))
  high.faults.set({ down: true })
  await time.pass(60_000)
  expect(carriers()).toEqual(['low'])
  const visitor = await low.dial(tunnel.snapshot().endpoints.find(({ backend }) => backend === 'low')?.address ?? '')
  visitor.on('error', () => {})
  visitor.write('before ')
  await once(visitor, 'data')
  return { tunnel, time, events, high, low, carriers, visitor }
}

/** Passes time until the better network carries the tunnel again. */
async function recovered({ high, time, carriers, events }: Stage): Promise<void> {
  high.faults.clear()
  for (let waited = 0; waited < 600 && !carriers().includes('high'); waited++) await time.pass(1_000)
  for (let waited = 0; waited < 600 && !events.some((event) => event.event === 'failover' && event.to === 'high'); waited++)
    await time.pass(1_000)
}

describe('a tunnel that goes back to a better network', () => {
  it('lets the connections on the other one end, and not one byte is lost', async () => {
    const stage = await fallen()
    const { tunnel, time, low, carriers, visitor, events } = stage
    await recovered(stage)
    // New visitors are to use the better one; the one who is there goes on.
    expect(carriers()).toEqual(['high'])
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'progress', phase: 'drain', message: '1 open connection over low, which may take 30 s to end.' }),
    )
    await time.pass(10_000)
    expect(low.stops).toEqual([])
    visitor.end('after')
    const [rest] = (await once(visitor, 'data')) as [Buffer]
    expect(rest.toString()).toBe('after')
    visitor.resume()
    await once(visitor, 'close')
    await expect.poll(() => low.stops).toEqual([tunnel.id])
  })

  it('waits no longer than half a minute, and not at all when it is stopped', async () => {
    const stage = await fallen()
    await recovered(stage)
    await stage.time.pass(31_000)
    expect(stage.low.stops).toEqual([stage.tunnel.id])
    expect(stage.visitor.destroyed).toBe(true)

    const other = await fallen()
    await recovered(other)
    expect(other.low.stops).toEqual([])
    await other.tunnel.stop()
    expect(other.low.stops).toEqual([other.tunnel.id])
  })

  it('stays with the other one, connections and all, when the better one falls again meanwhile', async () => {
    const stage = await fallen()
    const { high, low, time, carriers, visitor } = stage
    await recovered(stage)
    high.faults.set({ down: true })
    for (let waited = 0; waited < 25 && !carriers().includes('low'); waited++) await time.pass(1_000)
    expect(carriers()).toEqual(['low'])
    await time.pass(60_000)
    expect(low.stops).toEqual([])
    visitor.write('still here')
    const [echoed] = (await once(visitor, 'data')) as [Buffer]
    expect(echoed.toString()).toBe('still here')
  })
})
