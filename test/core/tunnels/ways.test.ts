import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { StreamHandler } from '../../../core/backend.ts'
import { MultipathAcceptor } from '../../../core/streams/index.ts'
import { faulty, type Faulty } from '../../../core/testing/fault-injection.ts'
import { connectTunnel, type ConnectSetup, type LocalPort } from '../../../core/tunnels/connect.ts'
import type { ConnectEvent } from '../../../core/tunnels/events.ts'
import { LocalService } from '../../../core/tunnels/local-service.ts'
import { echoServer, handleOf, PuppetBackend } from './puppet-backend.ts'

const MIB = 1 << 20
const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A network that counts the streams to its tunnel. */
class Counting extends PuppetBackend {
  streams = 0
  override async dial(...args: Parameters<PuppetBackend['dial']>): ReturnType<PuppetBackend['dial']> {
    this.streams += 1
    return super.dial(...args)
  }
}

interface Stage {
  readonly port: LocalPort
  readonly networks: ReadonlyArray<Faulty<Counting>>
  readonly events: ConnectEvent[]
}

interface Wishes extends Partial<Omit<ConnectSetup, 'others'>> {
  readonly exposes?: readonly boolean[]
  readonly delaysMs?: readonly number[]
  readonly weights?: readonly number[]
  /** Networks where the publisher has Beam in between, which joins multipath streams. Default: all. */
  readonly joins?: readonly boolean[]
  /** While this is the number of a network, the publisher hears nothing of new streams there. */
  readonly deaf?: { on?: number | undefined }
  /** How many more new streams of the second network end at the publisher's without a word. */
  readonly hangsUp?: { times: number }
}

async function stage({
  exposes = [false, false],
  delaysMs = [],
  weights = [],
  joins = [],
  deaf = {},
  hangsUp = { times: 0 },
  ...setup
}: Wishes = {}): Promise<Stage> {
  const echo = await echoServer()
  open.push(echo.close)
  const service = new LocalService({ host: '127.0.0.1', port: echo.port })
  const acceptor = new MultipathAcceptor({ handler: service.handle })
  const networks: Array<Faulty<Counting>> = []
  const ways = []
  for (const [index, exposing] of exposes.entries()) {
    const network = faulty(new Counting(`net${index}`, { exposes: exposing }), { delayMs: delaysMs[index] ?? 0 })
    open.push(async () => {
      network.faults.clear()
      await network[Symbol.asyncDispose]()
    })
    const handle = setup.strategy === 'multipath' && joins[index] !== false ? acceptor.handle : service.handle
    const onStream: StreamHandler = (stream, visitor) => {
      if (deaf.on === index) stream.on('error', () => {})
      else if (index === 1 && hangsUp.times-- > 0)
        stream
          .on('error', () => {})
          .resume()
          .end()
      else handle(stream, visitor)
    }
    const { endpoints } = await network.startTunnel(echo.port, { onStream })
    networks.push(network)
    const weight = weights[index]
    ways.push({ handle: handleOf(network), address: endpoints[0]?.address ?? '', ...(weight === undefined ? {} : { weight }) })
  }
  const [first, ...others] = ways
  if (first === undefined) throw new Error('no network')
  const events: ConnectEvent[] = []
  const port = await connectTunnel({ ...first, others, onEvent: (event) => events.push(event), ...setup })
  open.push(() => port.stop())
  open.push(async () => {
    acceptor.close()
    service.close()
  })
  return { port, networks, events }
}

function visit({ host, port }: LocalPort): Socket {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  socket.on('error', () => {})
  open.push(async () => socket.destroy())
  return socket
}

/** Whether a new connection echoes, and after how many milliseconds. */
async function echoes(port: LocalPort, text = 'hello'): Promise<number> {
  const from = performance.now()
  const socket = visit(port)
  socket.write(text)
  const [chunk] = (await Promise.race([
    once(socket, 'data'),
    new Promise<string[]>((resolve) => socket.once('close', () => resolve(['closed']))),
  ])) as [Buffer]
  expect(chunk.toString()).toBe(text)
  socket.destroy()
  return performance.now() - from
}

describe('fallback', () => {
  it('uses the path that answers first and tells of all', async () => {
    const { port, networks, events } = await stage({ delaysMs: [40, 1] })
    await echoes(port)
    await expect.poll(() => port.paths.map(({ state }) => state)).toEqual(['up', 'up'])
    expect(port.paths[0]).toMatchObject({ label: 'net1', backend: 'net1' })
    expect(events.find(({ event }) => event === 'listening')).toMatchObject({
      strategy: 'fallback',
      paths: [{ label: 'net1' }, { label: 'net0' }],
    })
    expect(networks[0]?.streams).toBe(0)
  })

  it('carries a new connection over the standby at once when the first path refuses', async () => {
    const { port, networks, events } = await stage({ delaysMs: [1, 20] })
    await expect.poll(() => port.paths.map(({ state }) => state)).toEqual(['up', 'up'])
    networks[0]?.faults.set({ down: true })
    await echoes(port)
    expect(events).toContainEqual(expect.objectContaining({ event: 'failover', from: 'net0', to: 'net1' }))
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'path', path: expect.objectContaining({ label: 'net0', state: 'down' }) as unknown }),
    )
    expect(port.paths[0]?.label).toBe('net1')
    expect(events.map(({ event }) => event)).not.toContain('down')
  })

  it('does not wait for a path that has fallen silent', async () => {
    const { port, networks } = await stage({ delaysMs: [1, 20] })
    await expect.poll(() => port.paths.map(({ state }) => state)).toEqual(['up', 'up'])
    networks[0]?.faults.set({ silent: true })
    await echoes(port)
    await expect.poll(() => port.paths.find(({ label }) => label === 'net0')?.state).toBe('suspect')
    // The next one does not even try it first.
    const before = networks[0]?.streams
    await echoes(port)
    expect(networks[0]?.streams).toBe(before)
  })

  it('goes back to the better path when it is there again', async () => {
    const { port, networks, events } = await stage({ delaysMs: [1, 30] })
    networks[0]?.faults.set({ down: true })
    await echoes(port)
    networks[0]?.faults.set({ down: undefined })
    await expect.poll(() => port.paths[0]?.label, { timeout: 15_000 }).toBe('net0')
    expect(events.findLast(({ event }) => event === 'failover')).toMatchObject({ from: 'net1', to: 'net0' })
  })

  it('says that the service is out of reach only when every path is', async () => {
    const { port, networks, events } = await stage()
    for (const network of networks) network.faults.set({ down: true })
    const socket = visit(port)
    socket.write('x')
    await expect.poll(() => socket.destroyed).toBe(true)
    expect(events.find(({ event }) => event === 'down')).toMatchObject({
      reason: expect.stringMatching(/(net0: .*net1: )|(net1: .*net0: )/) as string,
    })
    for (const network of networks) network.faults.set({ down: undefined })
    await expect.poll(() => events.findLast(({ event }) => event === 'up' || event === 'down')?.event, { timeout: 15_000 }).toBe('up')
  })
})

describe('load-balance', () => {
  it('spreads new connections by weight', async () => {
    const { port, networks } = await stage({ strategy: 'load-balance', weights: [3, 1] })
    await expect.poll(() => port.paths.map(({ state }) => state)).toEqual(['up', 'up'])
    for (let index = 0; index < 24; index++) await echoes(port)
    const [a = 0, b = 0] = networks.map(({ streams }) => streams)
    expect(a + b).toBeGreaterThanOrEqual(24)
    expect(a / b).toBeGreaterThan(1.5)
    expect(b).toBeGreaterThan(2)
  })

  it('leaves a dead path out', async () => {
    const { port, networks } = await stage({ strategy: 'load-balance' })
    networks[0]?.faults.set({ down: true })
    for (let index = 0; index < 8; index++) await echoes(port)
  })
})

describe('multipath', () => {
  it('carries one connection byte for byte while a path dies', async () => {
    const { port, networks } = await stage({ strategy: 'multipath' })
    const sent = randomBytes(12 * MIB)
    const socket = visit(port)
    const chunks: Buffer[] = []
    let seen = 0
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      seen += chunk.length
      if (seen > 4 * MIB) networks[0]?.faults.set({ down: true })
    })
    socket.end(sent)
    await once(socket, 'end')
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
  })

  it('carries a new connection over a path that was down a moment ago when the others fail', async () => {
    const { port, networks } = await stage({ strategy: 'multipath' })
    await expect.poll(() => port.paths.map(({ state }) => state)).toEqual(['up', 'up'])
    networks[0]?.faults.set({ down: true })
    await expect
      .poll(async () => {
        await echoes(port)
        return port.paths.find(({ label }) => label === 'net0')?.state
      })
      .toBe('down')
    networks[0]?.faults.set({ down: undefined })
    // Nothing breaks off that would tell of it beforehand.
    networks[1]?.faults.set({ drop: 1 })
    await echoes(port)
    await expect.poll(() => port.paths.find(({ label }) => label === 'net0')?.state).toBe('up')
  })

  it('goes on with a path that fell silent while it was asked whether the publisher joins streams', { timeout: 30_000 }, async () => {
    const deaf: { on?: number | undefined } = { on: 1 }
    const { port, networks, events } = await stage({ strategy: 'multipath', deaf })
    await expect.poll(() => port.paths.find(({ label }) => label === 'net1')?.state, { timeout: 10_000 }).toBe('down')
    deaf.on = undefined
    networks[0]?.faults.set({ down: true })
    await echoes(port)
    expect(events.map(({ event }) => event)).not.toContain('warning')
  })

  it('asks a network again whose first answer was to hang up, and believes it the second time', { timeout: 30_000 }, async () => {
    const once = await stage({ strategy: 'multipath', hangsUp: { times: 1 } })
    once.networks[0]?.faults.set({ down: true })
    await echoes(once.port)
    expect(once.events.map(({ event }) => event)).not.toContain('warning')
    const always = await stage({ strategy: 'multipath', hangsUp: { times: Infinity } })
    await expect
      .poll(() => always.events.find(({ event }) => event === 'warning'), { timeout: 10_000 })
      .toMatchObject({ code: 'BEAM_WARN_MULTIPATH', message: expect.stringContaining('net1') as string })
    await echoes(always.port)
  })

  it('leaves a network out where the publisher does not join streams, and says so', async () => {
    const { port, events } = await stage({ strategy: 'multipath', joins: [true, false] })
    await expect
      .poll(() => events.find(({ event }) => event === 'warning'), { timeout: 10_000 })
      .toMatchObject({ code: 'BEAM_WARN_MULTIPATH' })
    await echoes(port)
  })

  it('is refused when the publisher joins streams nowhere', async () => {
    await expect(stage({ strategy: 'multipath', joins: [false, false] })).rejects.toThrow(/multipath|join/)
  })
})

describe('what the ways show of the visitor', () => {
  it('ways that show the address are not used below one that hides it, and beside it only with consent', async () => {
    const { port, events } = await stage({ exposes: [false, true] })
    expect(port.paths).toHaveLength(1)
    expect(events.find(({ event }) => event === 'warning')).toMatchObject({ code: 'BEAM_WARN_EXPOSURE' })
    for (const strategy of ['load-balance', 'multipath'] as const) {
      await expect(stage({ exposes: [true, false], strategy })).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    }
    const consenting = await stage({ exposes: [false, true], allowExposure: true })
    expect(consenting.port.paths).toHaveLength(2)
  })

  it('once a hiding way has carried a connection, an exposing one does not take over again', async () => {
    const { port, networks, events } = await stage({ exposes: [true, false], delaysMs: [0, 10] })
    networks[0]?.faults.set({ down: true })
    await echoes(port)
    expect(port.paths.map(({ label }) => label)).toEqual(['net1'])
    expect(events.find(({ event }) => event === 'warning')).toMatchObject({ code: 'BEAM_WARN_EXPOSURE' })
  })
})
