import { describe, expect, it, vi } from 'vitest'
import { systemClock, type Clock, type TunnelEvent } from '../../../core/index.ts'
import { executableBackend } from '../../../plugins/executable/index.ts'
import { PROBE_EVERY_MS } from '../../../plugins/executable/limits.ts'
import { alive } from './harness.ts'
import { workshop, port, exchange, until } from './echo-stage.ts'

describe('an executable that breaks the rules', () => {
  it.each([
    ['other-version', 30_000, /broke the executable protocol: it chose version 42/],
    ['hangs-at-start', 300, /“unruly” did not answer initialize within 300 ms/],
  ])('%s: initialize fails, and nothing is left', async (mode, limitMs, message) => {
    const backend = workshop.make(mode, { timeLimitsMs: { initialize: limitMs } })
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
    void backend.getStatus()
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
