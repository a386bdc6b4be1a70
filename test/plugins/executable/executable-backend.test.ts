import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock, type Clock, type TunnelEvent, type Visitor } from '../../../core/index.ts'
import { executableBackend } from '../../../plugins/executable/index.ts'
import { PROBE_EVERY_MS } from '../../../plugins/executable/limits.ts'
import { Workshop, alive } from './harness.ts'

let workshop: Workshop
let echo: Server
let port: number
const endings: string[] = []

beforeEach(async () => {
  workshop = await Workshop.open()
  endings.length = 0
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => endings.push(String(error.code)))
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  port = (echo.address() as AddressInfo).port
})

afterEach(async () => {
  await workshop[Symbol.asyncDispose]()
  await new Promise((resolve) => echo.close(resolve))
})

/** Sends a text, ends, and gives back what came. */
async function exchange(stream: Duplex, text: string): Promise<string> {
  stream.end(text)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 20 })

describe('an executable that keeps the rules', () => {
  it('publishes, is dialled, counts, and ends when it is told to', async () => {
    const backend = workshop.make('weather')
    await backend.initialize()
    const { pid } = backend
    const events: TunnelEvent[] = []
    const tunnel = await backend.startTunnel(port, { id: 't1', name: 'web', onEvent: (event) => events.push(event) })
    expect(tunnel).toMatchObject({
      id: 't1',
      backend: 'unruly',
      name: 'web',
      port,
      endpoints: [{ backend: 'unruly', state: 'active', reveals: ['Everything.'] }],
    })
    const address = tunnel.endpoints[0]?.address ?? ''
    expect(await backend.reach(address)).toEqual({ backend: 'unruly', kind: 'direct', hops: 0 })
    expect(await exchange(await backend.dial(address), 'hello')).toBe('hello')
    await until(async () =>
      expect(await backend.getNetworkStats()).toMatchObject({
        bytesIn: 5,
        bytesOut: 5,
        openStreams: 0,
        totalStreams: 2,
        peers: 3,
        latencyMs: 1.5,
      }),
    )
    await until(() =>
      expect(events).toEqual([
        { type: 'progress', phase: 'half', percent: 50, message: 'half way' },
        { type: 'warning', code: 'X_WARNING', message: 'careful' },
        { type: 'address', address },
        { type: 'state', address, state: 'down', reason: 'weather' },
      ]),
    )
    expect(workshop.log).toContain('the executable logged {"said":"a log line","fields":{"n":1}}')
    expect(await backend.getStatus()).toMatchObject({
      state: 'running',
      message: 'fine',
      version: '0.0.1',
      tunnels: [{ id: 't1', endpoints: [{ state: 'down' }] }],
    })
    await backend.stopTunnel('t1')
    await backend.stopTunnel('t1')
    await expect(backend.dial(address)).rejects.toMatchObject({ kind: 'unreachable', code: 'BEAM_ERR_NOT_FOUND', hint: 'a hint' })
    await backend[Symbol.asyncDispose]()
    expect(alive(pid ?? 0)).toBe(false)
    expect((await workshop.notes()).filter((note) => !note.startsWith('dial')).slice(-3)).toEqual([
      'destroyed t1',
      'shutdown',
      'end of input',
    ])
    expect(await backend.getStatus()).toMatchObject({ state: 'stopped', tunnels: [] })
  })

  it('passes resets on in both directions', async () => {
    const backend = workshop.make('none')
    await backend.initialize()
    const atService: Socket[] = []
    const handler = (stream: Duplex): void => {
      stream.on('error', (error: NodeJS.ErrnoException) => endings.push(String(error.code)))
      atService.push(stream as Socket)
      stream.resume()
    }
    const address = (await backend.startTunnel(port, { onStream: handler })).endpoints[0]?.address ?? ''
    const first = (await backend.dial(address)) as Socket
    await until(() => expect(atService.length).toBe(1))
    first.resetAndDestroy()
    await until(() => expect(endings).toEqual(['ECONNRESET']))
    const second = (await backend.dial(address)) as Socket
    const failure = once(second.resume(), 'error')
    await until(() => expect(atService.length).toBe(2))
    atService[1]?.resetAndDestroy()
    expect(await failure).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('claims and resolves domains, and says when nobody claims one', async () => {
    const backend = workshop.make('none')
    await backend.initialize()
    const { endpoints } = await backend.startTunnel(port)
    const address = endpoints[0]?.address
    expect(await backend.registerDomain('a.local')).toEqual({ domain: 'a.local', address, exclusive: false, expiresAt: 4102444800000 })
    expect(await backend.resolveDomain('a.local', {})).toBe(address)
    await expect(backend.resolveDomain('b.local', {})).rejects.toMatchObject({ kind: 'unreachable', code: 'BEAM_ERR_NOT_FOUND' })
  })

  it('is told of access rules and secrets when it controls access, and tells the visitor where the network reveals it', async () => {
    const backend = workshop.make('tells-visitor')
    await backend.initialize()
    const visitors: Visitor[] = []
    const { endpoints } = await backend.startTunnel(port, {
      id: 'x',
      access: { secret: 'word' },
      onStream: (stream, visitor) => {
        visitors.push(visitor)
        stream.pipe(stream)
      },
    })
    const stream = await backend.dial(endpoints[0]?.address ?? '', { secret: 'word', isolation: 'a' })
    expect(await exchange(stream, 'hi')).toBe('hi')
    expect(visitors).toEqual([{ backend: 'unruly', key: 'k', remoteAddress: '192.0.2.9' }])
    expect(await workshop.notes()).toEqual(expect.arrayContaining(['tunnel x {"secret":"word"}', 'dial {"secret":"word","isolation":"a"}']))
  })

  it('is kept from telling a visitor’s network address when it says that the network hides it', async () => {
    const backend = workshop.make('none')
    await backend.initialize()
    const visitors: Visitor[] = []
    const { endpoints } = await backend.startTunnel(port, { onStream: (stream, visitor) => visitors.push(visitor) && stream.pipe(stream) })
    await exchange(await backend.dial(endpoints[0]?.address ?? ''), 'hi')
    expect(visitors).toEqual([{ backend: 'unruly', key: 'k' }])
  })

  it('is sent no tunnel with access rules when it cannot enforce them', async () => {
    const backend = workshop.make('none')
    await backend.initialize()
    await expect(backend.startTunnel(port, { access: { secret: 'word' } })).rejects.toMatchObject({ kind: 'unsupported' })
  })

  it('hears of requests that nobody waits for any more, and of tunnels that were not wanted after all', async () => {
    const backend = workshop.make('none')
    await backend.initialize()
    const abort = new AbortController()
    const dialled = backend.dial('unruly://slow', { signal: abort.signal })
    const started = backend.startTunnel(port, { id: 'late', network: { hang: true }, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('changed my mind')), 50)
    await expect(dialled).rejects.toThrow('changed my mind')
    await expect(started).rejects.toThrow('changed my mind')
    await until(async () =>
      expect(await workshop.notes()).toEqual(expect.arrayContaining(['cancel {"request":4}', 'cancel {"request":5}', 'destroyed late'])),
    )
    expect((await backend.getStatus()).tunnels).toEqual([])
  })

  it.each([
    ['config', 'config'],
    ['unavailable', 'unavailable'],
    ['unreachable', 'unreachable'],
    ['timeout', 'timeout'],
    ['protocol', 'protocol'],
    ['unsupported', 'unsupported'],
  ])('refuses with the kind %s, which arrives as such', async (refuse, kind) => {
    const backend = workshop.make('none')
    await backend.initialize()
    await expect(backend.startTunnel(port, { network: { refuse } })).rejects.toMatchObject({
      kind,
      code: 'X_REFUSED',
      hint: 'a hint',
      message: 'unruly: refused on purpose',
    })
    await expect(backend.startTunnel(port, { network: { error: true } })).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'unruly: plain',
    })
  })

  it('gets an answer to a request of its own: Beam offers no methods', async () => {
    const backend = workshop.make('asks-beam')
    await backend.initialize()
    await until(async () =>
      expect(await workshop.notes()).toContain('answer {"jsonrpc":"2.0","id":"q1","error":{"code":-32601,"message":"Method not found"}}'),
    )
    expect(await backend.getStatus()).toMatchObject({ state: 'running' })
  })
})

describe('an executable that breaks the rules', () => {
  it.each([
    ['other-version', /broke the executable protocol: it chose version 42/],
    ['hangs-at-start', /“unruly” did not answer initialize within 300 ms/],
  ])('%s: initialize fails, and nothing is left', async (mode, message) => {
    const backend = workshop.make(mode, { timeLimitsMs: { initialize: 300 } })
    await expect(backend.initialize()).rejects.toThrow(message)
    const [started] = await workshop.notes()
    expect(alive(Number(started?.split(' ')[1]))).toBe(false)
    expect(backend.pid).toBeUndefined()
    expect(await backend.getStatus()).toMatchObject({ state: 'failed', message: expect.stringMatching(message) })
  })

  it.each([
    ['writes-text', /it wrote a line that is not JSON in UTF-8/],
    ['answers-unasked', /it answered request 4711, which was never made/],
    ['wrong-notification', /its notification progress is wrong/],
    ['endless-line', /a line is longer than 1048576 bytes/],
    ['floods', /it floods its standard output/],
  ])('%s: it is ended with an error that names it, and started again', async (mode, message) => {
    const backend = workshop.make(mode)
    await backend.initialize()
    const { pid } = backend
    await until(() => expect(workshop.log.join('\n')).toMatch(message))
    expect(workshop.log.join('\n')).toContain('The backend “unruly” broke the executable protocol')
    await until(() => expect(alive(pid ?? 0)).toBe(false))
    await until(async () => expect((await workshop.notes()).filter((note) => note.startsWith('started')).length).toBeGreaterThan(1))
  })

  it('a tunnel answered with another id, or a socket elsewhere, is a ProtocolError', async () => {
    const other = workshop.make('other-id')
    await other.initialize()
    await expect(other.startTunnel(port)).rejects.toMatchObject({ kind: 'protocol', code: 'BEAM_ERR_PLUGIN_PROTOCOL' })
    const elsewhere = workshop.make('hands-over-elsewhere')
    await elsewhere.initialize()
    await expect(elsewhere.dial('unruly://1')).rejects.toMatchObject({
      kind: 'protocol',
      message: expect.stringContaining('its result of dial is wrong'),
    })
  })

  it('a socket on which nobody listens is an unavailable backend', async () => {
    const backend = workshop.make('hands-over-nothing')
    await backend.initialize()
    await expect(backend.dial('unruly://1')).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('a stream that does not say the token never reaches the service', async () => {
    const backend = workshop.make('wrong-token')
    await backend.initialize()
    const onStream = vi.fn()
    const { endpoints } = await backend.startTunnel(port, { onStream })
    const stream = await backend.dial(endpoints[0]?.address ?? '')
    await expect(exchange(stream, 'let me in')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(onStream).not.toHaveBeenCalled()
  })

  it('a flood on standard error is slowed down and dropped, and the backend goes on', async () => {
    const backend = workshop.make('floods-stderr')
    await backend.initialize()
    const { endpoints } = await backend.startTunnel(port)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(await exchange(await backend.dial(endpoints[0]?.address ?? ''), 'still here')).toBe('still here')
    expect(workshop.log.length).toBeLessThan(200)
    await until(() => expect(workshop.log.some((line) => line.includes('were dropped'))).toBe(true))
  })

  it('one that declared other capabilities than it has is refused', async () => {
    const honest = workshop.make('none')
    await honest.initialize()
    const { maxThroughput: _, ...rest } = honest.getCapabilities()
    const backend = workshop.make('none', { capabilities: { ...rest, delivery: 'stream', maxThroughput: null, anonymityLevel: 'high' } })
    expect(backend.getCapabilities()).toMatchObject({ anonymityLevel: 'high', maxThroughput: Infinity })
    await expect(backend.initialize()).rejects.toMatchObject({
      kind: 'protocol',
      message: expect.stringContaining('not those that it declared'),
    })
  })

  it('counts as exposing everybody until it has told its capabilities', () => {
    expect(workshop.make('none').getCapabilities()).toMatchObject({
      exposesPublisherIp: true,
      exposesVisitorIp: true,
      anonymityLevel: 'none',
    })
  })
})

describe('an executable that dies', () => {
  it('is restarted, and its tunnels are published again', async () => {
    const backend = workshop.make('none')
    await backend.initialize()
    const events: TunnelEvent[] = []
    const { id, endpoints } = await backend.startTunnel(port, { onEvent: (event) => events.push(event) })
    const stream = await backend.dial(endpoints[0]?.address ?? '')
    stream.on('error', () => {})
    const closed = new Promise((resolve) => stream.once('close', resolve))
    process.kill(backend.pid ?? 0, 'SIGKILL')
    await closed
    await until(() =>
      expect(events).toContainEqual(expect.objectContaining({ type: 'state', state: 'down', reason: expect.stringContaining('SIGKILL') })),
    )
    await until(async () => expect(await backend.getStatus()).toMatchObject({ state: 'running' }))
    const again = (await backend.getStatus()).tunnels[0]
    expect(again).toMatchObject({ id })
    expect(events).toContainEqual({ type: 'address', address: again?.endpoints[0]?.address })
    expect(await exchange(await backend.dial(again?.endpoints[0]?.address ?? ''), 'back')).toBe('back')
  })

  it('fails what waits for its answer, and what is asked before it is back', async () => {
    const backend = workshop.make('dies-on-dial')
    await backend.initialize()
    await expect(backend.dial('unruly://1')).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('exit code 3') })
    await expect(backend.startTunnel(port)).rejects.toMatchObject({ kind: 'unavailable', hint: expect.stringContaining('restarted') })
    expect(await backend.getStatus()).toMatchObject({ state: 'failed' })
    await backend[Symbol.asyncDispose]()
    const started = (await workshop.notes()).length
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect((await workshop.notes()).length).toBe(started)
  })

  it('or hangs is ended and restarted', async () => {
    const clock: Clock = { ...systemClock, every: (ms, fn) => systemClock.every(ms === PROBE_EVERY_MS ? 100 : ms, fn) }
    const backend = workshop.make('hangs-later', { timeLimitsMs: { status: 200 } }, clock)
    await backend.initialize()
    await until(() => expect(workshop.log.join('\n')).toContain('it hung, and was ended'))
    await until(async () => expect((await workshop.notes()).filter((note) => note.startsWith('started')).length).toBeGreaterThan(1))
  })

  it.runIf(process.platform !== 'win32')('takes what it started with it', async () => {
    const backend = workshop.make('has-child')
    await backend.initialize()
    await until(async () => expect((await workshop.notes()).join()).toContain('child'))
    const child = Number((await workshop.notes()).find((note) => note.startsWith('child'))?.split(' ')[1])
    expect(alive(child)).toBe(true)
    await backend[Symbol.asyncDispose]()
    await until(() => expect(alive(child)).toBe(false))
  })

  it.each(['ignores-end', 'ignores-sigterm'])('%s: it is ended all the same', async (mode) => {
    const backend = workshop.make(mode)
    await backend.initialize()
    const { pid } = backend
    await backend[Symbol.asyncDispose]()
    expect(alive(pid ?? 0)).toBe(false)
    expect((await workshop.notes()).includes('sigterm')).toBe(mode === 'ignores-sigterm')
  })
})

describe('an executable that cannot be started', () => {
  it('is an unavailable backend whose error names the command', async () => {
    const backend = workshop.make('none', { command: ['/nonexistent/backend'] })
    await expect(backend.initialize()).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'The backend “unruly” is not running: “/nonexistent/backend” was not found.',
    })
  })

  it('is given up at once when the signal fires', async () => {
    const backend = workshop.make('hangs-at-start')
    await expect(backend.initialize({ signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ name: 'TimeoutError' })
    const [started] = await workshop.notes()
    expect(alive(Number(started?.split(' ')[1]))).toBe(false)
  })

  it('is refused when its options are wrong', () => {
    const context = { logger: { child: () => context.logger } as never, clock: systemClock, paths: workshop.paths }
    expect(() => executableBackend({ name: 'Not A Name', command: ['x'] }, context)).toThrow(
      /configured wrongly: \/name must match pattern/,
    )
    expect(() => executableBackend({ name: 'x', command: [] }, context)).toThrow(/\/command must NOT have fewer than 1 items/)
  })
})
