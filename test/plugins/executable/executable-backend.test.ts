import { once } from 'node:events'
import { type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type TunnelEvent, type Visitor } from '../../../core/index.ts'
import { alive } from './harness.ts'
import { workshop, port, endings, exchange, until } from './echo-stage.ts'

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
