import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { BackendCapabilities } from '../../../core/capabilities.ts'
import type { DialOptions, Path } from '../../../core/powers.ts'
import { MemoryStream } from '../../../core/streams/memory-stream.ts'
import { connectTunnel, type LocalPort } from '../../../core/tunnels/connect.ts'
import type { ConnectEvent } from '../../../core/tunnels/events.ts'
import { openOverWays } from '../../../core/tunnels/open-over-ways.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { Strategy } from '../../../core/tunnels/strategy.ts'
import { echoServer, handleOf, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A network that hands out streams as I2P does: at once, also to a publisher who has left. */
class Unheard extends PuppetBackend {
  gone = false
  dials = 0
  override capabilities: Partial<BackendCapabilities> = { opensUnheard: true }

  override async reach(address: string, options?: DialOptions): Promise<Path> {
    return this.gone ? { backend: this.name, kind: 'memory', hops: 0 } : super.reach(address, options)
  }

  override async dial(address: string, options?: DialOptions): Promise<Duplex> {
    this.dials += 1
    if (!this.gone) return super.dial(address, options)
    const [near, far] = MemoryStream.pair()
    far.on('error', () => {}).resume()
    return near.on('error', () => {})
  }
}

interface Stage {
  readonly port: LocalPort
  readonly unheard: Unheard
  readonly events: readonly ConnectEvent[]
  readonly servicePort: number
}

/** A service on an ordinary network and on one that opens streams unheard; `plain`: no Beam at the latter's end. */
async function stage(strategy: Strategy, { plain = false, gone = false } = {}): Promise<Stage> {
  const echo = await echoServer()
  open.push(echo.close)
  const ordinary = new PuppetBackend('ordinary')
  const unheard = new Unheard('unheard')
  open.push(async () => Promise.all([ordinary, unheard].map((one) => one[Symbol.asyncDispose]())))
  const tunnel = await publishTunnel({
    target: { host: '127.0.0.1', port: echo.port },
    chain: (plain ? [ordinary] : [ordinary, unheard]).map(handleOf),
    strategy: 'load-balance',
    health: { selfCheck: false },
  })
  open.push(() => tunnel.stop())
  const addressOn = (name: string): string => tunnel.snapshot().endpoints.find(({ backend }) => backend === name)?.address ?? ''
  await expect.poll(() => addressOn('ordinary') !== '' && (plain || addressOn('unheard') !== '')).toBe(true)
  const address = plain ? ((await unheard.startTunnel(echo.port)).endpoints[0]?.address ?? '') : addressOn('unheard')
  unheard.gone = gone
  const events: ConnectEvent[] = []
  const port = await connectTunnel({
    handle: handleOf(ordinary),
    address: addressOn('ordinary'),
    others: [{ handle: handleOf(unheard), address }],
    strategy,
    onEvent: (event) => events.push(event),
  })
  open.push(() => port.stop())
  return { port, unheard, events, servicePort: echo.port }
}

/** Whether a new connection echoes, and after how many milliseconds. */
async function echoes({ host, port }: LocalPort): Promise<number> {
  const from = performance.now()
  const socket = connect({ host, port })
  socket.on('error', () => {})
  socket.write('hello')
  const [said] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['closed'])])) as [Buffer | string]
  expect(said.toString()).toBe('hello')
  socket.destroy()
  return performance.now() - from
}

const stateOf = ({ paths }: LocalPort): string | undefined => paths.find(({ label }) => label === 'unheard')?.state

describe('a path that takes streams for a publisher who has left', () => {
  it('costs no connection, and is used again when the publisher is back', async () => {
    const { port, unheard } = await stage('load-balance')
    await expect.poll(() => stateOf(port)).toBe('up')
    for (let index = 0; index < 6; index++) await echoes(port)
    const before = unheard.dials
    expect(before).toBeGreaterThan(2)

    unheard.gone = true
    const times = []
    for (let index = 0; index < 30; index++) times.push(await echoes(port))
    expect(unheard.dials).toBeGreaterThan(before)
    // The customer's limit for new connections; the path's head start is 50 ms here.
    expect(Math.max(...times)).toBeLessThan(500)
    await expect.poll(() => stateOf(port), { timeout: 10_000 }).toBe('down')

    unheard.gone = false
    await expect.poll(() => stateOf(port), { timeout: 30_000 }).toBe('up')
  })

  it('is measured by what its end says, not by the network', async () => {
    const { port } = await stage('fallback')
    await expect.poll(() => stateOf(port)).toBe('up')
    expect(port.paths.find(({ label }) => label === 'unheard')).toMatchObject({
      latencyMs: expect.any(Number) as number,
      reliability: 1,
    })
  })

  it('is the last choice when nothing was ever heard from there', { timeout: 20_000 }, async () => {
    const { port, events } = await stage('load-balance', { gone: true })
    for (let index = 0; index < 6; index++) expect(await echoes(port)).toBeLessThan(500)
    await expect.poll(() => stateOf(port), { timeout: 10_000 }).toBe('suspect')
    expect(events).toContainEqual(expect.objectContaining({ event: 'path', reason: expect.stringMatching(/nothing was heard/) as string }))
    for (let index = 0; index < 6; index++) await echoes(port)
    expect(port.paths.find(({ label }) => label === 'unheard')?.latencyMs).toBeUndefined()
  })

  it('is used as ever where something else than Beam is at its end', { timeout: 20_000 }, async () => {
    const { port, unheard } = await stage('load-balance', { plain: true })
    await expect.poll(() => stateOf(port), { timeout: 10_000 }).toBe('up')
    const before = unheard.dials
    for (let index = 0; index < 6; index++) await echoes(port)
    expect(unheard.dials - before).toBeGreaterThan(1)
  })

  it('gives a program a stream that flows when it listens', async () => {
    const { unheard, port } = await stage('fallback')
    await expect.poll(() => stateOf(port)).toBe('up')
    const address = port.paths.find(({ label }) => label === 'unheard')?.address ?? ''
    const way = { handle: handleOf(unheard), address }
    const stream = await openOverWays({ ways: [way, way], strategy: 'load-balance' })
    stream.write('hello')
    const [said] = (await once(stream, 'data')) as [Buffer]
    expect(said.toString()).toBe('hello')
    stream.destroy()
  })

  it('alone is dialled without a question', async () => {
    const { unheard, servicePort } = await stage('load-balance')
    const { endpoints } = await unheard.startTunnel(servicePort)
    const before = unheard.dials
    const port = await connectTunnel({ handle: handleOf(unheard), address: endpoints[0]?.address ?? '' })
    open.push(() => port.stop())
    await echoes(port)
    expect(unheard.dials - before).toBe(1)
  })
})
