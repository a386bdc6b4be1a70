import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { undo, stage, ask, raw, sees, seen } from './http-front-stage.ts'

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
