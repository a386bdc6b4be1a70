import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { DialOptions, Path } from '../../../core/powers.ts'
import { BackendUnavailableError, UnreachableError } from '../../../core/errors.ts'
import { connectTunnel, type ConnectSetup, type LocalPort } from '../../../core/tunnels/connect.ts'
import type { ConnectEvent } from '../../../core/tunnels/events.ts'
import { echoServer, handleOf, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A backend whose dials the test can make fail or hang. */
class Fickle extends PuppetBackend {
  failure: Error | undefined
  reachFailure: Error | undefined
  hanging = false
  dials = 0
  reaches = 0
  dialling = 0
  mostAtOnce = 0
  isolations: (string | undefined)[] = []

  override async reach(address: string, options?: DialOptions): Promise<Path> {
    this.reaches += 1
    if (this.reachFailure !== undefined) throw this.reachFailure
    return super.reach(address, options)
  }

  override async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    this.dials += 1
    this.isolations.push(options.isolation)
    this.dialling += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.dialling)
    try {
      if (this.failure !== undefined) throw this.failure
      if (this.hanging)
        await new Promise((_, reject) => options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)))
      return await super.dial(address, options)
    } finally {
      this.dialling -= 1
    }
  }
}

async function stage(
  options: Partial<ConnectSetup> = {},
): Promise<{ port: LocalPort; backend: Fickle; events: ConnectEvent[]; address: string }> {
  const echo = await echoServer()
  open.push(echo.close)
  const backend = new Fickle('memory')
  open.push(() => backend[Symbol.asyncDispose]())
  const { endpoints } = await backend.startTunnel(echo.port)
  const address = endpoints[0]?.address ?? ''
  const events: ConnectEvent[] = []
  const port = await connectTunnel({ address, handle: handleOf(backend), onEvent: (event) => events.push(event), ...options })
  open.push(() => port.stop())
  return { port, backend, events, address }
}

function visit({ host, port }: LocalPort): Socket {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  socket.on('error', () => {})
  open.push(async () => socket.destroy())
  return socket
}

async function read(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** How a socket ended: with an end of file, or broken off. */
function ending(socket: Socket): Promise<string> {
  socket.resume()
  return new Promise((resolve) => {
    socket.once('end', () => resolve('end'))
    socket.once('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? 'error'))
  })
}

it('reaches the service first, then listens, and says how and what it reveals', async () => {
  const { port, events, address, backend } = await stage()
  expect(events.map(({ event }) => event)).toEqual(['progress', 'listening'])
  expect(events[1]).toMatchObject({ host: '127.0.0.1', port: port.port, address, path: { backend: 'memory', kind: 'direct', hops: 0 } })
  expect(port.reveals).toEqual(['Nothing: the network is inside one process.'])
  expect(backend.reaches).toBe(1)
  expect(backend.dials).toBe(0)
})

it('carries each connection as a stream of its own, with half-close', async () => {
  const { port, backend } = await stage()
  const sockets = Array.from({ length: 20 }, () => visit(port))
  const texts = await Promise.all(
    sockets.map((socket, index) => {
      socket.end(`visitor ${index}`)
      return read(socket)
    }),
  )
  expect(texts).toEqual(sockets.map((_, index) => `visitor ${index}`))
  expect(backend.dials).toBe(20)
})

it('keeps bytes that were sent before the stream was there', async () => {
  const { port, backend } = await stage()
  let release: (() => void) | undefined
  const dial = backend.dial.bind(backend)
  backend.dial = async (...args) => {
    await new Promise<void>((resolve) => (release = resolve))
    return dial(...args)
  }
  const socket = visit(port)
  socket.end('x'.repeat(300_000))
  await expect.poll(() => release !== undefined).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 30))
  release?.()
  expect((await read(socket)).length).toBe(300_000)
})

it('resets the connection, not the port, when the dial fails; tells of down once and of up again', async () => {
  const { port, backend, events } = await stage()
  backend.failure = new UnreachableError('the publisher is gone')
  backend.reachFailure = backend.failure
  expect(await ending(visit(port))).toBe('ECONNRESET')
  expect(await ending(visit(port))).toBe('ECONNRESET')
  expect(events.filter(({ event }) => event === 'down')).toEqual([
    { event: 'down', address: port.address, reason: 'the publisher is gone' },
  ])
  backend.failure = backend.reachFailure = undefined
  await expect.poll(() => events.at(-1)?.event, { timeout: 10_000 }).toBe('up')
  const socket = visit(port)
  socket.end('back')
  expect(await read(socket)).toBe('back')
})

it('does not take an absent service for a broken path', async () => {
  const { port, backend, events } = await stage()
  backend.failure = new BackendUnavailableError('nothing listens there', { code: 'BEAM_ERR_SERVICE_DOWN' })
  expect(await ending(visit(port))).toBe('ECONNRESET')
  expect(events.map(({ event }) => event)).not.toContain('down')
  // The local program sees a reset, and the user why; once for the same reason.
  expect(await ending(visit(port))).toBe('ECONNRESET')
  expect(events.filter(({ event }) => event === 'warning')).toEqual([
    { event: 'warning', code: 'BEAM_WARN_CONNECTION_FAILED', message: 'A connection failed: nothing listens there' },
  ])
})

it('tells each reason once, with what can be done', async () => {
  const { port, backend, events } = await stage()
  backend.reachFailure = new UnreachableError('the publisher is gone')
  for (const [message, hint] of [
    ['nothing is offered there', 'Ask for the port.'],
    ['nothing is offered there', 'Ask for the port.'],
    ['the circuit broke', 'Try again.'],
    ['the circuit broke', 'Try again.'],
  ] as const) {
    backend.failure = new UnreachableError(message, { hint })
    expect(await ending(visit(port))).toBe('ECONNRESET')
  }
  expect(events.slice(2)).toEqual([
    { event: 'down', address: port.address, reason: 'nothing is offered there Ask for the port.' },
    { event: 'warning', code: 'BEAM_WARN_CONNECTION_FAILED', message: 'A connection failed: the circuit broke Try again.' },
  ])
})

it('dials once more at once when the link had just broken', async () => {
  const { port, backend, events } = await stage()
  const dial = backend.dial.bind(backend)
  let first = true
  backend.dial = async (...args) => {
    if (first) {
      first = false
      throw new UnreachableError('the link ended', { code: 'BEAM_ERR_LINK_CLOSED' })
    }
    return dial(...args)
  }
  const socket = visit(port)
  socket.end('anyway')
  expect(await read(socket)).toBe('anyway')
  expect(events.map(({ event }) => event)).not.toContain('down')
})

it('passes a reset of the service on as a reset', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => new Promise((resolve) => server.close(resolve)))
  const backend = new Fickle('memory')
  const { endpoints } = await backend.startTunnel((server.address() as { port: number }).port)
  const port = await connectTunnel({ address: endpoints[0]?.address ?? '', handle: handleOf(backend) })
  open.push(() => port.stop())
  const socket = visit(port)
  socket.write('x')
  expect(await ending(socket)).toBe('ECONNRESET')
})

it('limits the dials that run at once and serves the rest afterwards', async () => {
  const { port, backend } = await stage()
  backend.hanging = true
  const sockets = Array.from({ length: 300 }, () => visit(port))
  await expect.poll(() => backend.dialling).toBe(256)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(backend.mostAtOnce).toBe(256)
  const endings = sockets.map(ending)
  await port.stop()
  expect(new Set(await Promise.all(endings))).toEqual(new Set(['ECONNRESET']))
  expect(backend.dialling).toBe(0)
})

it('leaves nothing after stop: the port is free and connections are reset', async () => {
  const { port, events } = await stage()
  const socket = visit(port)
  socket.write('x')
  await once(socket, 'data')
  const ended = ending(socket)
  await Promise.all([port.stop('enough'), port.stop()])
  expect(await ended).toBe('ECONNRESET')
  expect(events.filter(({ event }) => event === 'stopped')).toEqual([{ event: 'stopped', reason: 'enough' }])
  const again = await echoServer({ port: port.port })
  await again.close()
})

describe('refusals', () => {
  it('a port in use names a way out', async () => {
    const { port } = await stage()
    await expect(stage({ port: port.port })).rejects.toMatchObject({
      code: 'BEAM_ERR_PORT_IN_USE',
      hint: expect.stringContaining('--port 0') as string,
    })
  })

  it.each([-1, 65_536, 1.5])('the port %s', async (port) => {
    await expect(stage({ port })).rejects.toMatchObject({ code: 'BEAM_ERR_PORT_INVALID' })
  })

  it('a host that is not ours', async () => {
    await expect(stage({ host: '203.0.113.1' })).rejects.toMatchObject({ kind: 'config' })
  })

  it('a service that cannot be reached', async () => {
    await expect(stage({ dialled: 'memory://nobody' })).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  })

  it('an aborted attempt', async () => {
    await expect(stage({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  })
})

it('warns when other machines can use the port', async () => {
  const { events } = await stage({ host: '0.0.0.0' })
  expect(events.find(({ event }) => event === 'warning')).toMatchObject({ code: 'BEAM_WARN_BIND_EXPOSED' })
})

describe('circuits', () => {
  const opened = async (port: LocalPort): Promise<Socket> => {
    const socket = connect(port.port, port.host)
    open.push(async () => socket.destroy())
    socket.write('hello')
    await once(socket, 'data')
    return socket
  }

  it('are shared by all connections unless more are asked for', async () => {
    const { port, backend } = await stage({ dial: { isolation: 'own' } })
    await opened(port)
    await opened(port)
    expect(backend.isolations).toEqual(['own', 'own'])
  })

  it('carry connections side by side, the least used one first', async () => {
    const { port, backend } = await stage({ circuits: 3, dial: { isolation: 'own' } })
    for (let count = 0; count < 6; count++) await opened(port)
    expect(backend.isolations).toEqual(['own', 'own-1', 'own-2', 'own', 'own-1', 'own-2'])
  })

  it('are used again when their connections have ended', async () => {
    const { port, backend } = await stage({ circuits: 2, dial: { isolation: 'own' } })
    for (let round = 0; round < 3; round++) {
      const socket = await opened(port)
      socket.end()
      socket.resume()
      await once(socket, 'close')
    }
    expect(backend.isolations.filter((isolation) => isolation === 'own').length).toBeGreaterThan(1)
  })

  it.each([0, 33, 1.5, Number.NaN])('cannot be %s', async (circuits) => {
    await expect(stage({ circuits })).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
  })
})
