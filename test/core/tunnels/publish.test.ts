import { afterEach, expect, it, describe } from 'vitest'
import type { TunnelInfo, TunnelOptions } from '../../../core/backend.ts'
import type { BackendCapabilities } from '../../../core/capabilities.ts'
import type { PublishEvent } from '../../../core/tunnels/events.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { PublishSetup, Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { MemoryNetwork } from '../../../core/testing/memory-network.ts'
import { echoServer, handleOf, ManualClock, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

interface Stage {
  tunnel: Tunnel
  events: PublishEvent[]
  names: () => string[]
  clock: ManualClock
}

async function publish(backends: PuppetBackend[], options: Partial<PublishSetup> = {}): Promise<Stage> {
  const echo = await echoServer()
  open.push(echo.close)
  const events: PublishEvent[] = []
  const clock = new ManualClock()
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: backends.map(handleOf),
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  })
  open.push(() => tunnel.stop())
  return { tunnel, events, names: () => events.map(({ event }) => event), clock }
}

async function visit(backend: PuppetBackend, address: string, text: string): Promise<string> {
  const stream = await backend.dial(address)
  stream.end(text)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const addressOf = ({ tunnel }: Stage): string => tunnel.snapshot().endpoints[0]?.address ?? ''

describe('priority', () => {
  it('publishes on the best backend only and carries bytes', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    const stage = await publish([first, second], { name: 'web' })
    expect(stage.names()).toEqual(['address', 'ready'])
    expect(stage.events.at(-1)).toMatchObject({
      tunnel: { id: stage.tunnel.id, name: 'web', service: 'up', endpoints: [{ backend: 'first', state: 'active' }] },
    })
    expect(await visit(first, addressOf(stage), 'hello')).toBe('hello')
    expect(second.starts).toBe(0)
  })

  it('takes the next one when the first cannot start, and says so', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    first.broken = 'no daemon'
    const stage = await publish([first, second])
    expect(stage.events[0]).toMatchObject({
      event: 'warning',
      backend: 'first',
      code: 'BEAM_ERR_BACKEND_UNAVAILABLE',
      message: 'no daemon',
    })
    expect(stage.tunnel.snapshot().endpoints.map(({ backend }) => backend)).toEqual(['second'])
    expect(first.starts).toBe(1)
  })

  it('rejects with the backend’s own error when the only one fails, and with all of them when several do', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    first.broken = 'no daemon'
    second.broken = 'no route'
    await expect(publish([first])).rejects.toMatchObject({ message: 'no daemon' })
    await expect(publish([first, second])).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/first: no daemon.*second: no route/) as string,
      cause: { errors: [{ message: 'no daemon' }, { message: 'no route' }] },
    })
  })

  it('stays with a backend that goes down, and tells of down and up', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    const stage = await publish([first, second])
    first.say('down', 'network gone')
    await stage.clock.pass(120_000)
    expect(stage.events.at(-1)).toMatchObject({ event: 'down', what: 'endpoint', backend: 'first', reason: 'network gone' })
    expect(second.starts).toBe(0)
    first.say('active', 'network back')
    expect(stage.events.at(-1)).toMatchObject({ event: 'up', what: 'endpoint', backend: 'first', reason: 'network back' })
    expect(stage.names().filter((name) => name === 'ready')).toHaveLength(1)
  })

  it('gives a backend up that does not answer, and tells it to stop trying', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    first.stuck = true
    const clock = new ManualClock()
    const attempt = publish([first, second], { clock })
    await expect.poll(() => first.starts).toBe(1)
    await clock.pass(121_000)
    const stage = await attempt
    expect(stage.events[0]).toMatchObject({ event: 'warning', backend: 'first', code: 'BEAM_ERR_TIMEOUT' })
    expect(first.seen[0]?.signal?.aborted).toBe(true)
    expect(addressOf(stage)).toContain('memory://')
  })

  it('publishes again, with backoff, when the backend lost the tunnel', async () => {
    const first = new PuppetBackend('first')
    const stage = await publish([first], { name: 'web' })
    first.lost = true
    first.broken = 'no daemon'
    await stage.clock.pass(20_000)
    expect(stage.names()).toEqual(['address', 'ready', 'down', 'warning'])
    expect(first.starts).toBeGreaterThan(1)
    first.broken = undefined
    await stage.clock.pass(130_000)
    expect(stage.events.at(-1)).toMatchObject({ event: 'up', backend: 'first' })
    expect(await visit(first, addressOf(stage), 'again')).toBe('again')
  })
})

describe('fallback', () => {
  it('moves down when the better network stays down, and back when it has been up for a while', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    const stage = await publish([first, second], { strategy: 'fallback' })
    first.say('down', 'gone')
    await stage.clock.pass(2_000)
    expect(second.starts).toBe(0)
    await stage.clock.pass(3_000)
    expect(stage.events.at(-1)).toMatchObject({ event: 'failover', from: 'first', to: 'second', reason: 'first is down' })
    first.say('active', 'back')
    await stage.clock.pass(20_000)
    expect(second.stops).toEqual([])
    await stage.clock.pass(15_000)
    expect(stage.events.filter(({ event }) => event === 'failover').at(-1)).toMatchObject({ from: 'second', to: 'first' })
    expect(second.stops).toEqual([stage.tunnel.id])
    expect(stage.tunnel.snapshot().endpoints.map(({ backend }) => backend)).toEqual(['first'])
  })

  it('stops above the step from a hiding to an exposing network', async () => {
    const [hidden, exposing] = [new PuppetBackend('hidden'), new PuppetBackend('exposing', { exposes: true })]
    const stage = await publish([hidden, exposing], { strategy: 'fallback' })
    expect(stage.events[0]).toMatchObject({ event: 'warning', backend: 'exposing', code: 'BEAM_WARN_EXPOSURE' })
    hidden.say('down', 'gone')
    await stage.clock.pass(300_000)
    expect(exposing.starts).toBe(0)
  })

  it('never goes back to an exposing network once a hiding one carries the tunnel', async () => {
    const [exposing, hidden] = [new PuppetBackend('exposing', { exposes: true }), new PuppetBackend('hidden')]
    const stage = await publish([exposing, hidden], { strategy: 'fallback' })
    exposing.say('down', 'gone')
    await stage.clock.pass(5_000)
    expect(stage.tunnel.snapshot().endpoints.map(({ backend }) => backend)).toEqual(['hidden'])
    expect(exposing.stops).toEqual([stage.tunnel.id])
    await stage.clock.pass(300_000)
    expect(exposing.starts).toBe(1)
  })

  it('goes on trying when everything is down', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    second.broken = 'no'
    const stage = await publish([first, second], { strategy: 'fallback' })
    first.say('down', 'gone')
    await stage.clock.pass(60_000)
    second.broken = undefined
    await stage.clock.pass(130_000)
    expect(stage.events.at(-1)).toMatchObject({ event: 'failover', to: 'second' })
  })
})

describe('load-balance', () => {
  it('publishes on all, and is ready with the first', async () => {
    const [first, second, third] = [new PuppetBackend('first'), new PuppetBackend('second'), new PuppetBackend('third')]
    first.broken = 'no daemon'
    const stage = await publish([first, second, third], { strategy: 'load-balance' })
    await stage.clock.pass(500)
    expect(stage.tunnel.snapshot().endpoints.map(({ backend }) => backend)).toEqual(['second', 'third'])
    expect(stage.names()).not.toContain('failover')
    first.broken = undefined
    await stage.clock.pass(10_000)
    expect(stage.tunnel.snapshot().endpoints).toHaveLength(3)
    expect(stage.names().filter((name) => name === 'ready')).toHaveLength(1)
  })

  it('refuses a mixture before anything starts', async () => {
    const [hidden, exposing] = [new PuppetBackend('hidden'), new PuppetBackend('exposing', { exposes: true })]
    await expect(publish([hidden, exposing], { strategy: 'load-balance' })).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    expect(hidden.starts + exposing.starts).toBe(0)
  })
})

describe('what a tunnel is given', () => {
  it('reaches the backend: id, name, access, options of that network only', async () => {
    const first = new PuppetBackend('first')
    await publish([first], {
      id: 'my-id',
      access: { secret: 'word' },
      network: { first: { hops: 3 }, other: { hops: 9 } },
      domain: 'a.local',
    })
    expect(first.seen[0]).toMatchObject({
      id: 'my-id',
      access: { secret: 'word' },
      network: { hops: 3 },
      domain: 'a.local',
      host: 'localhost',
    })
  })

  it('leaves out a backend that cannot restrict access, and refuses when none can', async () => {
    const [first, second] = [new PuppetBackend('first'), new PuppetBackend('second')]
    first.capabilities = { accessControl: false }
    const stage = await publish([first, second], { access: { secret: 'word' } })
    expect(stage.events[0]).toMatchObject({ code: 'BEAM_WARN_ACCESS', backend: 'first' })
    expect(stage.tunnel.snapshot().access).toBe('Only visitors who know the secret word can reach it.')
    await expect(publish([first], { access: { allow: ['key'] } })).rejects.toMatchObject({ code: 'BEAM_ERR_UNSUPPORTED' })
  })

  it('says that a domain is ignored where the network has none', async () => {
    const first = new PuppetBackend('first')
    first.capabilities = { supportsDomains: false }
    const stage = await publish([first], { domain: 'a.local' })
    expect(stage.events[0]).toMatchObject({ code: 'BEAM_WARN_DOMAIN' })
    expect(first.seen[0]).not.toHaveProperty('domain')
  })
})

describe('the local service', () => {
  it('may be absent: a warning, and later an event when it comes', async () => {
    const gone = await echoServer()
    await gone.close()
    const first = new PuppetBackend('first')
    const stage = await publish([first], { target: { host: 'localhost', port: gone.port } })
    expect(stage.events[0]).toMatchObject({ event: 'warning', code: 'BEAM_WARN_SERVICE_DOWN' })
    expect(stage.events.at(-1)).toMatchObject({ event: 'ready', tunnel: { service: 'down' } })
    const stream = await first.dial(addressOf(stage))
    await new Promise((resolve) => stream.once('close', resolve))
    expect(stream.readableEnded).toBe(false)

    open.push((await echoServer({ port: gone.port })).close)
    expect(await visit(first, addressOf(stage), 'now')).toBe('now')
    expect(stage.events.at(-1)).toMatchObject({ event: 'up', what: 'service' })
    expect(stage.tunnel.snapshot().service).toBe('up')
  })

  it('may be required', async () => {
    const gone = await echoServer()
    await gone.close()
    const first = new PuppetBackend('first')
    await expect(publish([first], { target: { host: 'localhost', port: gone.port }, requireService: true })).rejects.toMatchObject({
      code: 'BEAM_ERR_SERVICE_DOWN',
    })
    expect(first.starts).toBe(0)
  })

  it('is not touched when the streams go elsewhere', async () => {
    const first = new PuppetBackend('first')
    const stage = await publish([first], { target: { host: 'localhost', port: 1 }, onStream: (stream) => void stream.end('from memory') })
    expect(stage.names()).toEqual(['address', 'ready'])
    expect(await visit(first, addressOf(stage), '')).toBe('from memory')
  })
})

describe('a network whose daemon connects to the local port itself', () => {
  class Direct extends PuppetBackend {
    /** What the tunnels were started with. */
    readonly handlers: unknown[] = []
    override getCapabilities(): BackendCapabilities {
      return { ...super.getCapabilities(), deliversDirectly: true }
    }
    override async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
      this.handlers.push(options.onStream)
      return super.startTunnel(port, { onStream: (stream) => void stream.end(), ...options })
    }
  }

  it('is left alone with it', async () => {
    const direct = new Direct('direct')
    await publish([direct])
    expect(direct.handlers).toEqual([undefined])
  })

  it('hands the streams over when Beam reads HTTP', async () => {
    const direct = new Direct('direct')
    await publish([direct], { http: { dropRequestHeaders: ['Cookie'] } })
    expect(direct.handlers).toEqual([expect.any(Function)])
  })

  it('hands the streams over when somebody else takes them', async () => {
    const direct = new Direct('direct')
    const stage = await publish([direct], { onStream: (stream) => void stream.end('from memory') })
    expect(await visit(direct, addressOf(stage), '')).toBe('from memory')
  })
})

describe('the end', () => {
  it('leaves no tunnel and no timer, and is told once', async () => {
    const first = new PuppetBackend('first', { network: new MemoryNetwork() })
    const { tunnel, names, clock } = await publish([first])
    await Promise.all([tunnel.stop('enough'), tunnel.stop()])
    expect(names().filter((name) => name === 'stopped')).toHaveLength(1)
    expect((await first.getStatus()).tunnels).toEqual([])
    await clock.pass(1)
    expect(clock.pending).toBe(0)
  })

  it('of an attempt comes with the signal, also when the backend does not answer', async () => {
    const first = new PuppetBackend('first')
    first.stuck = true
    const controller = new AbortController()
    const attempt = publish([first], { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('changed my mind')), 20)
    await expect(attempt).rejects.toThrow('changed my mind')
  })

  it('survives a listener that throws', async () => {
    const { tunnel } = await publish([new PuppetBackend('first')], {
      onEvent: () => {
        throw new Error('mine')
      },
    })
    await tunnel.stop()
  })
})
