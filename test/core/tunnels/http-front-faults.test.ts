import { once } from 'node:events'
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, createServer } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { HttpOptions } from '../../../core/tunnels/http-headers.ts'
import { undo, listening, portOf, type Stage, stage, frontOf, ask, raw, sees } from './http-front-stage.ts'

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
    await vi.waitFor(() => expect(server.clients.size).toBe(0), { timeout: 10_000 })
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
    await vi.waitFor(() => expect(closed).toBe(1), { timeout: 10_000 })
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
    await vi.waitFor(() => expect(connections).toHaveLength(1), { timeout: 10_000 })
    front.close()
    await expect(pending).rejects.toThrow()
    await vi.waitFor(() => expect(connections[0]?.destroyed).toBe(true), { timeout: 10_000 })
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
    await vi.waitFor(() => expect(Buffer.concat(output).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*hello/), { timeout: 10_000 })
    stream.destroy()
  })
})
