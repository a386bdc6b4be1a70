import { afterEach, describe, expect, it } from 'vitest'
import type { PublishEvent } from '../../../core/tunnels/events.ts'
import { healthSettings } from '../../../core/tunnels/health-settings.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { PublishSetup, Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { faulty, type Faulty } from '../../../core/testing/fault-injection.ts'
import { echoServer, failureOf, handleOf, ManualClock, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const clock = (): ManualClock => new ManualClock()
const network = (name: string, time: ManualClock, exposes = false): Faulty<PuppetBackend> =>
  faulty(new PuppetBackend(name, { exposes }), {}, time)

interface Stage {
  tunnel: Tunnel
  events: PublishEvent[]
  carriers: () => string[]
  moves: () => string[]
}

async function publish(time: ManualClock, backends: Faulty<PuppetBackend>[], options: Partial<PublishSetup> = {}): Promise<Stage> {
  const echo = await echoServer()
  open.push(echo.close)
  const events: PublishEvent[] = []
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: backends.map(handleOf),
    clock: time,
    strategy: 'fallback',
    onEvent: (event) => events.push(event),
    ...options,
  })
  open.push(() => tunnel.stop())
  return {
    tunnel,
    events,
    carriers: () => tunnel.snapshot().endpoints.flatMap(({ backend, state }) => (state === 'active' ? [backend] : [])),
    moves: () => events.flatMap((event) => (event.event === 'failover' ? [`${event.from} → ${event.to}`] : [])),
  }
}

describe('ready', () => {
  it('comes when the tunnel was reached through the network, not before', async () => {
    const time = clock()
    const first = network('first', time)
    first.faults.set({ drop: 1 })
    const events: PublishEvent[] = []
    const attempt = publish(time, [first], { onEvent: (event) => events.push(event) })
    await expect.poll(() => first.starts).toBe(1)
    await time.pass(20_000)
    expect(events.map(({ event }) => event)).not.toContain('ready')
    expect(events).toContainEqual(expect.objectContaining({ event: 'progress', phase: 'self-check' }))
    first.faults.clear()
    await time.pass(60_000)
    await attempt
    expect(events.at(-1)).toMatchObject({ event: 'ready', tunnel: { endpoints: [{ state: 'active' }] } })
  })

  it('never comes on a network through which nobody gets in: the next one is used', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    first.faults.set({ drop: 1 })
    const attempt = publish(time, [first, second])
    await expect.poll(() => first.starts).toBe(1)
    await time.pass(91_000)
    const { carriers, events } = await attempt
    expect(carriers()).toEqual(['second'])
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'warning', backend: 'first', message: expect.stringContaining('90 s') as string }),
    )
    expect(first.stops).toHaveLength(1)
  })

  it('rejects, and leaves nothing behind, when that was the only one', async () => {
    const time = clock()
    const first = network('first', time)
    first.faults.set({ drop: 1 })
    const attempt = publish(time, [first])
    const failure = failureOf(attempt)
    await expect.poll(() => first.starts).toBe(1)
    await time.pass(91_000)
    expect(await failure).toMatchObject({ kind: 'unavailable', hint: expect.stringContaining('selfCheck') as string })
    expect((await first.getStatus()).tunnels).toEqual([])
  })

  it('is the backend’s word where a check is not wanted, or says nothing', async () => {
    const time = clock()
    const [hidden, exposing] = [network('hidden', time), network('exposing', time, true)]
    hidden.faults.set({ drop: 1 })
    exposing.faults.set({ drop: 1 })
    expect((await publish(time, [hidden], { health: { selfCheck: false } })).carriers()).toEqual(['hidden'])
    expect((await publish(time, [exposing])).carriers()).toEqual(['exposing'])
  })
})

describe('a network that fails in silence', () => {
  it('is left when its self-check fails for long enough, and taken again when it works for long enough', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { carriers, events, moves } = await publish(time, [first, second])
    first.faults.set({ drop: 1 })
    await time.pass(90_000)
    expect(moves()).toEqual(['first → second'])
    expect(carriers()).toEqual(['second'])
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'down',
        backend: 'first',
        reason: expect.stringContaining('its own address could not be reached') as string,
      }),
    )
    first.faults.clear()
    await time.pass(65_000)
    expect(events).toContainEqual(expect.objectContaining({ event: 'up', backend: 'first' }))
    await time.pass(31_000)
    expect(moves()).toEqual(['first → second', 'second → first'])
    expect(carriers()).toEqual(['first'])
    expect(second.stops).toHaveLength(1)
  })

  it('is told of by `down` when there is nothing else, and the tunnel stays', async () => {
    const time = clock()
    const first = network('first', time)
    const { events, tunnel } = await publish(time, [first])
    first.faults.set({ drop: 1 })
    await time.pass(90_000)
    expect(events.at(-1)).toMatchObject({ event: 'down', what: 'endpoint', backend: 'first' })
    expect(tunnel.snapshot().endpoints).toMatchObject([{ state: 'down' }])
    first.faults.clear()
    await time.pass(90_000)
    expect(events.at(-1)).toMatchObject({ event: 'up', what: 'endpoint', backend: 'first' })
  })

  it('is left later or earlier as the user wants', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { moves } = await publish(time, [first, second], { health: { failAfterMs: 600_000, recoverAfterMs: 0 } })
    first.faults.set({ drop: 1 })
    await time.pass(500_000)
    expect(moves()).toEqual([])
    await time.pass(200_000)
    expect(moves()).toEqual(['first → second'])
    first.faults.clear()
    await time.pass(70_000)
    expect(moves()).toEqual(['first → second', 'second → first'])
  })

  it('does not come back by the word of its backend alone', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { carriers } = await publish(time, [first, second])
    first.faults.set({ drop: 1 })
    await time.pass(90_000)
    first.say('down', 'the daemon says so')
    first.say('active', 'the daemon says so')
    await time.pass(60_000)
    expect(carriers()).toEqual(['second'])
  })
})

describe('with load-balance', () => {
  it('a network that fails in silence is down for itself, and the others go on', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { carriers, moves } = await publish(time, [first, second], { strategy: 'load-balance' })
    await time.pass(500)
    expect(carriers()).toEqual(['first', 'second'])
    first.faults.set({ drop: 1 })
    await time.pass(90_000)
    expect(carriers()).toEqual(['second'])
    first.faults.clear()
    await time.pass(90_000)
    expect(carriers()).toEqual(['first', 'second'])
    expect(moves()).toEqual([])
  })
})

describe('with priority', () => {
  it('a network that fails in silence is no reason to move', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { moves } = await publish(time, [first, second], { strategy: 'priority' })
    first.faults.set({ drop: 1 })
    await time.pass(600_000)
    expect(moves()).toEqual([])
    expect(second.starts).toBe(0)
  })
})

describe('without consent', () => {
  it('a chain stops above the step: down after it was ready, and it keeps trying', async () => {
    const time = clock()
    const [hidden, exposing] = [network('hidden', time), network('exposing', time, true)]
    const { events, carriers } = await publish(time, [hidden, exposing])
    hidden.faults.set({ down: true })
    await time.pass(300_000)
    expect(events).toContainEqual(expect.objectContaining({ event: 'down', backend: 'hidden' }))
    expect(exposing.starts).toBe(0)
    hidden.faults.clear()
    await time.pass(120_000)
    expect(carriers()).toEqual(['hidden'])
  })

  it('a chain whose hiding networks cannot start is never ready', async () => {
    const time = clock()
    const [hidden, exposing] = [network('hidden', time), network('exposing', time, true)]
    hidden.faults.set({ failStart: true })
    await expect(publish(time, [hidden, exposing])).rejects.toMatchObject({ hint: expect.stringContaining('--allow-exposure') as string })
    expect(exposing.starts).toBe(0)
  })

  it('goes below the step with it', async () => {
    const time = clock()
    const [hidden, exposing] = [network('hidden', time), network('exposing', time, true)]
    const { carriers } = await publish(time, [hidden, exposing], { allowExposure: true })
    hidden.faults.set({ down: true })
    await time.pass(30_000)
    expect(carriers()).toEqual(['exposing'])
  })
})

describe('flapping', () => {
  it('moves ever less often', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { moves } = await publish(time, [first, second], { health: { selfCheck: false } })
    // Down for 10 s, up for 50 s, for an hour: enough to be taken back each time, were it trusted again.
    for (let minute = 0; minute < 60; minute++) {
      first.faults.set({ down: true })
      await time.pass(10_000)
      first.faults.clear()
      await time.pass(50_000)
    }
    expect(moves().length).toBeLessThanOrEqual(4)
    expect(moves().at(-1)).toBe('first → second')
    // Then it stays up: it is trusted again, within eight minutes.
    await time.pass(500_000)
    expect(moves().at(-1)).toBe('second → first')
  })

  it('has a clean sheet after it was up for long', async () => {
    const time = clock()
    const [first, second] = [network('first', time), network('second', time)]
    const { moves } = await publish(time, [first, second], { health: { selfCheck: false } })
    for (let round = 0; round < 3; round++) {
      first.faults.set({ down: true })
      await time.pass(20_000)
      first.faults.clear()
      await time.pass(700_000)
    }
    expect(moves()).toHaveLength(6)
    first.faults.set({ down: true })
    await time.pass(20_000)
    first.faults.clear()
    // The first trial lasts half a minute from when it is seen to work, the fourth would last four minutes.
    await time.pass(100_000)
    expect(moves()).toHaveLength(8)
  })
})

it('refuses times that make no sense', () => {
  for (const settings of [{ probeEveryMs: 10 }, { failAfterMs: -1 }, { recoverAfterMs: Number.NaN }, { probeLimitMs: Infinity }]) {
    expect(() => healthSettings(settings)).toThrowError(expect.objectContaining({ code: 'BEAM_ERR_CONFIG' }))
  }
})
