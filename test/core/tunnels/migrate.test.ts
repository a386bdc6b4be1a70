import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import type { PublishEvent } from '../../../core/tunnels/events.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { PublishSetup, Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { faulty, type Faulty } from '../../../core/testing/fault-injection.ts'
import { echoServer, failureOf, handleOf, ManualClock, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

interface Stage {
  time: ManualClock
  tunnel: Tunnel
  events: PublishEvent[]
  old: Faulty<PuppetBackend>
  next: Faulty<PuppetBackend>
  carriers: () => string[]
}

async function published(
  options: Partial<PublishSetup> & { oldExposes?: boolean; nextExposes?: boolean; further?: PuppetBackend[] } = {},
): Promise<Stage> {
  const { oldExposes = false, nextExposes = false, further = [], ...setup } = options
  const time = new ManualClock()
  const echo = await echoServer()
  open.push(echo.close)
  const events: PublishEvent[] = []
  const old = faulty(new PuppetBackend('old', { exposes: oldExposes }), {}, time)
  const next = faulty(new PuppetBackend('next', { exposes: nextExposes }), {}, time)
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: [handleOf(old), ...further.map(handleOf)],
    clock: time,
    onEvent: (event) => events.push(event),
    ...setup,
  })
  open.push(() => tunnel.stop())
  const carriers = (): string[] => tunnel.snapshot().endpoints.flatMap(({ backend, state }) => (state === 'active' ? [backend] : []))
  return { time, tunnel, events, old, next, carriers }
}

const addressOn = ({ tunnel }: Stage, backend: string): string =>
  tunnel.snapshot().endpoints.find((endpoint) => endpoint.backend === backend)?.address ?? ''

describe('a migration', () => {
  it('brings the new endpoint up and checks it before the old one stops', async () => {
    const stage = await published()
    const { tunnel, old, next, events, carriers, time } = stage
    next.faults.set({ drop: 1 })
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next) })
    await expect.poll(() => next.starts).toBe(1)
    await time.pass(20_000)
    // It is published, but nobody gets through to it yet: the old one carries on.
    expect(carriers()).toEqual(['old'])
    expect(old.stops).toEqual([])
    next.faults.clear()
    await time.pass(20_000)
    await moved
    expect(carriers()).toEqual(['next'])
    expect(old.stops).toEqual([tunnel.id])
    const told = events.map((event) => (event.event === 'failover' ? `${event.from} → ${event.to}: ${event.reason}` : event.event))
    expect(told).toContain('old → next: moved by the user')
  })

  it('lets open connections end, and not one byte is lost', async () => {
    const stage = await published()
    const { tunnel, old, next, time } = stage
    const stream = await old.dial(addressOn(stage, 'old'))
    stream.write('before ')
    await once(stream, 'data')
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next) })
    await time.pass(10_000)
    expect(old.stops).toEqual([])
    stream.end('after')
    const [rest] = (await once(stream, 'data')) as [Buffer]
    expect(rest.toString()).toBe('after')
    stream.resume()
    await once(stream, 'close')
    await moved
    expect(old.stops).toEqual([tunnel.id])
  })

  it('does not wait for them longer than it is told', async () => {
    const stage = await published()
    const { tunnel, old, next, time, events } = stage
    const stream = await old.dial(addressOn(stage, 'old'))
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next), drainMs: 5_000 })
    await time.pass(4_000)
    expect(old.stops).toEqual([])
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'progress', phase: 'drain', message: '1 open connection over old, which may take 5 s to end.' }),
    )
    await time.pass(2_000)
    await moved
    expect(old.stops).toEqual([tunnel.id])
    expect(stream.destroyed).toBe(true)
  })

  it('waits the whole time where the daemon delivers by itself and nobody can count', async () => {
    const old = new PuppetBackend('old')
    old.capabilities = { deliversDirectly: true }
    const time = new ManualClock()
    const echo = await echoServer()
    open.push(echo.close)
    const tunnel = await publishTunnel({ target: { host: 'localhost', port: echo.port }, chain: [handleOf(old)], clock: time })
    open.push(() => tunnel.stop())
    const moved = tunnel.migrate({ from: 'old', to: handleOf(new PuppetBackend('next')), drainMs: 8_000 })
    await time.pass(7_000)
    expect(old.stops).toEqual([])
    await time.pass(2_000)
    await moved
  })

  it('leaves the strategy in force: a failure of the new one is met by the next', async () => {
    const low = new PuppetBackend('low')
    const { tunnel, next, time, carriers } = await published({ strategy: 'fallback', further: [low] })
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next) })
    await time.pass(1_000)
    await moved
    next.faults.set({ down: true })
    await time.pass(20_000)
    expect(carriers()).toEqual(['low'])
    next.faults.clear()
    await time.pass(120_000)
    expect(carriers()).toEqual(['next'])
  })
})

describe('the old endpoint is untouched', () => {
  it('when the new backend cannot start', async () => {
    const { tunnel, old, next, carriers } = await published()
    next.faults.set({ failStart: true })
    await expect(tunnel.migrate({ from: 'old', to: handleOf(next) })).rejects.toMatchObject({ kind: 'unavailable' })
    expect(carriers()).toEqual(['old'])
    expect(old.stops).toEqual([])
  })

  it('when nobody gets through to the new one', async () => {
    const { tunnel, old, next, carriers, time } = await published()
    next.faults.set({ drop: 1 })
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next) })
    const failure = failureOf(moved)
    await time.pass(95_000)
    expect(await failure).toMatchObject({ message: expect.stringContaining('could not be reached through the network') as string })
    expect(carriers()).toEqual(['old'])
    expect(old.stops).toEqual([])
    expect((await next.getStatus()).tunnels).toEqual([])
  })

  it('when it is called off while the new one starts', async () => {
    const { tunnel, old, next, carriers, time } = await published()
    next.faults.set({ drop: 1 })
    const controller = new AbortController()
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next), signal: controller.signal })
    await time.pass(5_000)
    controller.abort(new Error('changed my mind'))
    await expect(moved).rejects.toThrow('changed my mind')
    expect(carriers()).toEqual(['old'])
    expect(old.stops).toEqual([])
    expect((await next.getStatus()).tunnels).toEqual([])
  })

  it('when it is called off while connections drain', async () => {
    const stage = await published()
    const { tunnel, old, next, carriers, time } = stage
    const stream = await old.dial(addressOn(stage, 'old'))
    const controller = new AbortController()
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next), signal: controller.signal })
    await time.pass(5_000)
    expect(carriers()).toEqual(['next'])
    controller.abort(new Error('changed my mind'))
    await expect(moved).rejects.toThrow('changed my mind')
    await time.pass(5_000)
    expect(carriers()).toEqual(['old'])
    expect((await next.getStatus()).tunnels).toEqual([])
    stream.end('still here')
    const [data] = (await once(stream, 'data')) as [Buffer]
    expect(data.toString()).toBe('still here')
  })

  it('when the tunnel is stopped in the middle: everything ends', async () => {
    const { tunnel, old, next, time } = await published()
    next.faults.set({ drop: 1 })
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next) })
    const failure = failureOf(moved)
    await time.pass(5_000)
    await tunnel.stop()
    expect(await failure).toMatchObject({ message: expect.stringContaining('was stopped') as string })
    expect([...(await old.getStatus()).tunnels, ...(await next.getStatus()).tunnels]).toEqual([])
    await time.pass(1)
    expect(time.pending).toBe(0)
  })
})

describe('what is refused before anything happens', () => {
  it('a backend that the tunnel does not use, or uses already', async () => {
    const { tunnel, next } = await published({ further: [new PuppetBackend('low')] })
    await expect(tunnel.migrate({ from: 'tor', to: handleOf(next) })).rejects.toThrow('it uses old, low')
    await expect(tunnel.migrate({ from: 'old', to: handleOf(new PuppetBackend('low')) })).rejects.toThrow('uses low already')
    await expect(tunnel.migrate({ from: 'old', to: handleOf(next), drainMs: -1 })).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
    expect(next.starts).toBe(0)
  })

  it('a second one while one is under way', async () => {
    const { tunnel, next, time } = await published()
    next.faults.set({ drop: 1 })
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next) })
    await expect(tunnel.migrate({ from: 'old', to: handleOf(new PuppetBackend('third')) })).rejects.toThrow('being moved')
    next.faults.clear()
    await time.pass(60_000)
    await moved
  })

  it('a network that shows the address that the present one hides, unless that is allowed', async () => {
    const { tunnel, next, time, carriers } = await published({ nextExposes: true })
    await expect(tunnel.migrate({ from: 'old', to: handleOf(next) })).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    expect(next.starts).toBe(0)
    const moved = tunnel.migrate({ from: 'old', to: handleOf(next), allowExposure: true })
    await time.pass(1_000)
    await moved
    expect(carriers()).toEqual(['next'])
  })

  it('a mixture with the networks that stay', async () => {
    const { tunnel, next } = await published({
      oldExposes: true,
      further: [new PuppetBackend('low', { exposes: true })],
      strategy: 'load-balance',
    })
    await expect(tunnel.migrate({ from: 'old', to: handleOf(next) })).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    expect(next.starts).toBe(0)
  })
})
