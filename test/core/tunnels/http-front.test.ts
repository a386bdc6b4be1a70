import { once } from 'node:events'
import {
  Agent,
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  type Server as HttpServer,
} from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Visitor } from '../../../core/backend.ts'
import { HttpFront } from '../../../core/tunnels/http-front.ts'
import type { HttpOptions } from '../../../core/tunnels/http-headers.ts'
import { LocalService } from '../../../core/tunnels/local-service.ts'
import { silentLogger } from '../../../core/logger.ts'

const undo: Array<() => unknown> = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function listening<S extends Server | HttpServer>(server: S): Promise<S> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  undo.push(() => server.close())
  if ('closeAllConnections' in server) undo.push(() => server.closeAllConnections())
  return server
}

const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port

/** What the visitor and the service see of each other through the front. */
interface Stage {
  /** Where visitors connect to. */
  readonly port: number
  readonly servicePort: number
  readonly front: HttpFront
  /** Connections that the service got. */
  readonly connections: Socket[]
}

async function stage(
  listener: RequestListener | HttpServer,
  options: HttpOptions = { hostHeader: 'rewrite' },
  visitor: Partial<Visitor> = {},
): Promise<Stage> {
  const service = await listening(typeof listener === 'function' ? createHttpServer(listener) : listener)
  const connections: Socket[] = []
  service.on('connection', (socket) => connections.push(socket))
  return { ...(await frontOf(portOf(service), options, visitor)), connections }
}

async function frontOf(
  servicePort: number,
  options: HttpOptions = { hostHeader: 'rewrite' },
  visitor: Partial<Visitor> = {},
): Promise<Omit<Stage, 'connections'>> {
  const target = { host: '127.0.0.1', port: servicePort }
  const local = new LocalService(target)
  const front = new HttpFront({ target, connect: () => local.open(), options, logger: silentLogger })
  const entrance = await listening(createServer({ allowHalfOpen: true }, (stream) => front.handle(stream, { backend: 'test', ...visitor })))
  undo.push(() => (front.close(), local.close()))
  return { port: portOf(entrance), servicePort, front }
}

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly message: IncomingMessage
}

async function ask(port: number, { body, ...options }: RequestOptions & { readonly body?: string } = {}): Promise<Reply> {
  const outgoing = httpRequest({ host: '127.0.0.1', port, agent: false, ...options })
  outgoing.end(body)
  const [message] = (await once(outgoing, 'response')) as [IncomingMessage]
  outgoing.on('error', () => {})
  let text = ''
  for await (const chunk of message) text += String(chunk)
  return { status: message.statusCode ?? 0, headers: message.headers, body: text, message }
}

/** Sends text and collects everything until the connection ends. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  undo.push(() => socket.destroy())
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

const sees: RequestListener = (request, response) => response.end(JSON.stringify({ url: request.url, headers: request.headers }))
const seen = (reply: Reply): { url: string; headers: Record<string, string> } => JSON.parse(reply.body) as never

describe('the Host header', () => {
  it('is that of a local visitor, or what was asked for', async () => {
    const local = await stage(sees)
    const origin = { host: 'abc.onion', origin: 'http://abc.onion' }
    expect(seen(await ask(local.port, { headers: origin })).headers).toMatchObject({
      host: `127.0.0.1:${local.servicePort}`,
      origin: `http://127.0.0.1:${local.servicePort}`,
    })
    const named = await stage(sees, { hostHeader: 'app.test' })
    expect(seen(await ask(named.port, { headers: { ...origin, origin: 'http://evil.example' } })).headers).toMatchObject({
      host: 'app.test',
      origin: 'http://evil.example',
    })
    expect(await raw(named.port, 'GET / HTTP/1.0\r\n\r\n')).toContain('"host":"app.test"')
    expect(await raw(named.port, 'GET http://abc.onion/x HTTP/1.1\r\nHost: abc.onion\r\nConnection: close\r\n\r\n')).toContain('"url":"/x"')
  })

  it('stays when only something else is asked for', async () => {
    const { port } = await stage(sees, { dropRequestHeaders: ['Cookie'] })
    const { headers } = seen(await ask(port, { headers: { host: 'abc.onion', cookie: 'a=b', 'x-kept': '1' } }))
    expect(headers).toMatchObject({ host: 'abc.onion', 'x-kept': '1' })
    expect(headers).not.toHaveProperty('cookie')
  })

  it('comes back in redirects', async () => {
    const { port } = await stage((request, response) => response.writeHead(302, { location: `http://${request.headers.host}/login` }).end())
    expect((await ask(port, { headers: { host: 'abc.onion' } })).headers.location).toBe('http://abc.onion/login')
  })
})

describe('other headers', () => {
  it('are told of the visitor by the network, and of nobody else', async () => {
    const { port } = await stage(sees, { hostHeader: 'x' }, { httpHeaders: { 'X-I2P-DestB32': 'real.b32.i2p' } })
    const { headers } = seen(await ask(port, { headers: { 'x-i2p-destb32': 'forged' } }))
    expect(headers['x-i2p-destb32']).toBe('real.b32.i2p')
  })

  it('are added to answers', async () => {
    const { port } = await stage(
      (_, response) => response.writeHead(200, { 'onion-location': 'http://old.onion', server: 'x' }).end('hi'),
      { responseHeaders: { 'Onion-Location': 'http://new.onion/' } },
    )
    expect((await ask(port)).headers).toMatchObject({ 'onion-location': 'http://new.onion/', server: 'x' })
  })
})

describe('messages', () => {
  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
    ['DELETE', 200],
    ['POST', 200],
    ['OPTIONS', 200],
  ])('pass as they are: %s, %i', async (method, status) => {
    const { port } = await stage((request, response) =>
      response.writeHead(status, 'Fine', { 'x-method': request.method, etag: '"1"' }).end(),
    )
    const reply = await ask(port, { method })
    expect(reply).toMatchObject({ status, body: '', headers: { 'x-method': method, etag: '"1"' } })
    expect(reply.message.statusMessage).toBe('Fine')
  })

  it('pass with bodies of a known length and in chunks, and with trailers', async () => {
    const { port } = await stage(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      response.writeHead(200, { trailer: 'x-sum' })
      response.write(`${request.headers['content-length'] ?? 'chunked'}:`)
      response.addTrailers({ 'x-sum': String(text.length) })
      response.end(text)
    })
    const counted = await ask(port, { method: 'POST', headers: { 'content-length': 5 }, body: 'hello' })
    expect(counted.body).toBe('5:hello')
    expect(counted.message.trailers).toEqual({ 'x-sum': '5' })
    expect((await ask(port, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' }, body: 'hello' })).body).toBe('chunked:hello')
    expect((await ask(port, { method: 'DELETE', headers: { 'transfer-encoding': 'chunked' }, body: 'hello' })).body).toBe('chunked:hello')
  })

  it('share a kept connection, which is one connection of the service', async () => {
    const { port, connections } = await stage(sees)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    undo.push(() => agent.destroy())
    for (let count = 0; count < 5; count++) expect((await ask(port, { agent, path: `/${count}` })).status).toBe(200)
    expect(connections).toHaveLength(1)
    expect((await ask(port)).status).toBe(200)
    expect(connections).toHaveLength(2)
  })

  it('are asked for again when the service closed the kept connection meanwhile', async () => {
    const { port, connections } = await stage(sees)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    undo.push(() => agent.destroy())
    for (let count = 0; count < 5; count++) {
      expect((await ask(port, { agent })).status).toBe(200)
      connections.at(-1)?.resetAndDestroy()
    }
    expect(connections).toHaveLength(5)
  })

  it('that are sent at once are answered in order', async () => {
    const { port } = await stage(
      (request, response) => void setTimeout(() => response.end(`${request.url}\n`), request.url === '/0' ? 50 : 0),
    )
    const text = Array.from(
      { length: 5 },
      (_, index) => `GET /${index} HTTP/1.1\r\nHost: x\r\n${index === 4 ? 'Connection: close\r\n' : ''}\r\n`,
    ).join('')
    expect((await raw(port, text)).match(/^\/\d/gm)).toEqual(['/0', '/1', '/2', '/3', '/4'])
  })

  it('begin to arrive before they end', async () => {
    const { port } = await stage((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
    })
    const outgoing = httpRequest({ host: '127.0.0.1', port, agent: false }).end()
    undo.push(() => outgoing.destroy())
    const [message] = (await once(outgoing, 'response')) as [IncomingMessage]
    message.on('error', () => {})
    expect(String(((await once(message, 'data')) as [Buffer])[0])).toBe('data: one\n\n')
  })

  it('wait for a slow reader, in both directions', async () => {
    let read: IncomingMessage | undefined
    const { port } = await stage((request, response) => {
      if (request.method === 'POST') return void (read = request.pause())
      const chunk = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (response.write(chunk)) written += chunk.length
        response.once('drain', more)
      }
      let written = 0
      more()
      setInterval(() => (sent = written), 20).unref()
    })
    let sent = 0
    const down = httpRequest({ host: '127.0.0.1', port, agent: false }).end()
    undo.push(() => down.destroy())
    const [message] = (await once(down, 'response')) as [IncomingMessage]
    message.on('error', () => {}).pause()
    const up = httpRequest({ host: '127.0.0.1', port, agent: false, method: 'POST' })
    up.on('error', () => {})
    undo.push(() => up.destroy())
    let written = 0
    const chunk = Buffer.alloc(64 * 1024)
    const more = (): void => {
      while (up.write(chunk)) written += chunk.length
      up.once('drain', () => setImmediate(more))
    }
    more()
    await vi.waitFor(async () => {
      const before = [written, sent]
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect([written, sent]).toEqual(before)
    }, 15_000)
    // What the system's buffers hold, and no more: the front keeps nothing.
    expect(written).toBeLessThan(40 * 1024 * 1024)
    expect(sent).toBeLessThan(40 * 1024 * 1024)
    expect(read).toBeDefined()
  })

  it('of many megabytes arrive whole', async () => {
    const { port } = await stage((request, response) => void request.pipe(response))
    const body = 'beam'.repeat(2 * 1024 * 1024)
    expect((await ask(port, { method: 'POST', body })).body === body).toBe(true)
  })
})

describe('WebSocket', () => {
  async function sockets(
    options: HttpOptions,
    verify: (origin: string | undefined, host: string | undefined) => boolean,
  ): Promise<Stage & { readonly server: WebSocketServer }> {
    const http = createHttpServer(sees)
    const server = new WebSocketServer({
      server: http,
      verifyClient: ({ req }: { readonly req: IncomingMessage }) => verify(req.headers.origin, req.headers.host),
    })
    server.on('connection', (socket) => {
      socket.send('welcome')
      socket.on('message', (data, binary) => socket.send(data, { binary }))
    })
    return { ...(await stage(http, options)), server }
  }

  it('works, and passes the check of Host and Origin that development servers make', async () => {
    const { port, servicePort } = await sockets(
      { hostHeader: 'rewrite' },
      (origin, host) => origin === `http://${host}` && host === `127.0.0.1:${servicePort}`,
    )
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { host: 'abc.onion' }, origin: 'http://abc.onion' })
    undo.push(() => client.terminate())
    // The service speaks first, perhaps in one packet with its answer.
    expect(String(((await once(client, 'message')) as [Buffer])[0])).toBe('welcome')
    const large = Buffer.alloc(3 * 1024 * 1024, 7)
    client.send(large)
    expect(((await once(client, 'message')) as [Buffer])[0].equals(large)).toBe(true)
    client.close(4001, 'done')
    expect(((await once(client, 'close')) as [number])[0]).toBe(4001)
  })

  it('is refused by the service in its own words', async () => {
    const { port } = await sockets({ hostHeader: 'other' }, () => false)
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { origin: 'http://evil.example' })
    client.on('error', () => {})
    const [, answer] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage]
    expect(answer.statusCode).toBe(401)
    answer.resume()
    await once(answer, 'end')
  })

  it('is reset when one side breaks off', async () => {
    const { port, server, connections } = await sockets({ hostHeader: 'x' }, () => true)
    const client = new WebSocket(`ws://127.0.0.1:${port}`)
    client.on('error', () => {})
    await once(client, 'message')
    connections[0]?.resetAndDestroy()
    expect(((await once(client, 'close')) as [number])[0]).toBe(1006)
    const other = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(other, 'message')
    other.terminate()
    await vi.waitFor(() => expect(server.clients.size).toBe(0))
  })

  it('cannot be asked for with a body', async () => {
    const { port } = await stage(sees)
    const text = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi'
    expect(await raw(port, text)).toMatch(/^HTTP\/1\.1 501 /)
  })
})

describe('failures', () => {
  it('a service that is absent is an answer, and the connection goes on to work when it is there', async () => {
    const gone = await listening(createServer())
    const port = portOf(gone)
    gone.close()
    const stageOf = await frontOf(port)
    const reply = await ask(stageOf.port)
    expect(reply).toMatchObject({ status: 502, body: 'The service behind this address does not answer.\n' })
  })

  it.each(['content-length', 'chunked', 'until the end'])(
    'a service that breaks off in the middle (%s) resets the visitor',
    async (framing) => {
      const service = await listening(
        createServer((socket) => {
          socket.on('error', () => {})
          socket.once('data', () => {
            const head =
              { 'content-length': 'Content-Length: 100\r\n', chunked: 'Transfer-Encoding: chunked\r\n', 'until the end': '' }[framing] ?? ''
            socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${framing === 'chunked' ? '5\r\nhello\r\n' : 'hello'}`, () =>
              setTimeout(() => socket.resetAndDestroy(), 50),
            )
          })
        }),
      )
      const { port } = await frontOf(portOf(service))
      await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNRESET' })
    },
  )

  it('a visitor that leaves is gone for the service too', async () => {
    let closed = 0
    const { port } = await stage((request, response) => {
      request.on('error', () => {})
      response.on('close', () => (closed += 1))
      response.write('x')
    })
    const up = httpRequest({ host: '127.0.0.1', port, agent: false, method: 'POST' })
    up.on('error', () => {})
    up.write('half of')
    await once(up, 'response')
    up.destroy()
    await vi.waitFor(() => expect(closed).toBe(1))
  })

  it.each([
    ['what is no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03', /^HTTP\/1\.1 400 /],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a head without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40 * 1024)}`, /^HTTP\/1\.1 431 /],
  ])('%s is refused', async (_, text, expected) => {
    const { port, connections } = await stage(sees)
    expect(await raw(port, text)).toMatch(expected)
    expect(connections).toHaveLength(0)
  })

  it('an answer whose head has no end is refused', async () => {
    const service = await listening(
      createServer((socket) => void socket.on('error', () => {}).write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(64 * 1024)}`)),
    )
    const { port } = await frontOf(portOf(service))
    expect((await ask(port)).status).toBe(502)
  })

  it('a visitor that asks for more than it waits for is cut off', async () => {
    let asked = 0
    const { port } = await stage(() => (asked += 1))
    await expect(raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200))).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(asked).toBeLessThan(2)
  })

  it('the end of the tunnel ends all connections', async () => {
    const { port, front, connections } = await stage(() => {})
    const pending = ask(port)
    await vi.waitFor(() => expect(connections).toHaveLength(1))
    front.close()
    await expect(pending).rejects.toThrow()
    await vi.waitFor(() => expect(connections[0]?.destroyed).toBe(true))
  })
})

describe('visitors', () => {
  it('may end their direction behind the request', async () => {
    const { port } = await stage((request, response) => void setTimeout(() => response.end(`slow ${request.url}`), 50))
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    undo.push(() => socket.destroy())
    socket.end('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer).toContain('slow /x')
  })

  it('may come on streams that are no sockets', async () => {
    const { front } = await stage((request, response) => void request.pipe(response))
    const output: Buffer[] = []
    const stream = new Duplex({ read() {}, write: (chunk: Buffer, _, done) => (output.push(chunk), done()) })
    front.handle(stream, { backend: 'test' })
    stream.push('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello')
    await vi.waitFor(() => expect(Buffer.concat(output).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*hello/))
    stream.destroy()
  })
})
