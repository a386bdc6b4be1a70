import { once } from 'node:events'
import { Agent, createServer as createHttpServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { addressOf, Scene } from './scene.ts'

/** An HTTP service with what browsers use: plain answers, chunked ones, server-sent events, WebSockets. */
function webService(): Server {
  const server = createHttpServer(async (request, response) => {
    switch (request.url) {
      case '/chunked':
        for (const part of ['one ', 'two ', 'three']) {
          response.write(part)
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        response.end()
        break
      case '/events': {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        let id = 0
        const timer = setInterval(() => response.write(`id: ${++id}\ndata: tick\n\n`), 20)
        request.once('close', () => clearInterval(timer))
        break
      }
      case '/upload':
        response.end(String((await text(request)).length))
        break
      default:
        response.end(`hello ${request.url} from ${request.socket.remotePort}`)
    }
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
  return server
}

describe('a tunnel', () => {
  let scene: Scene
  /** Local ports of the visitor: web service, echo, service on ::1. */
  let web: number
  let raw: number
  let ipv6: number

  beforeAll(async () => {
    scene = await Scene.open()
    const webPort = await scene.serve(webService())
    const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => {}).pipe(socket))
    const rawPort = await scene.serve(echo)
    const six = createHttpServer((_, response) => void response.end('six'))
    const sixPort = await scene.serve(six, '::1')
    const targets = [String(webPort), `127.0.0.1:${rawPort}`, String(sixPort)]
    const publisher = scene.beam(targets)
    for (let count = 1; count <= targets.length; count++) await publisher.event('ready', count)
    const addressFor = (port: number): string =>
      addressOf(
        publisher.events.find(({ event, tunnel }) => event === 'ready' && (tunnel as { port: number }).port === port) ?? { event: '' },
      )
    const visits = await Promise.all([webPort, rawPort, sixPort].map((port) => scene.visit(addressFor(port))))
    ;[web, raw, ipv6] = visits.map(({ port }) => port) as [number, number, number]
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  it('carries HTTP requests one after the other on one kept connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const answers = new Set<string>()
    for (let count = 0; count < 20; count++) {
      const request = httpRequest({ port: web, path: '/kept', agent }).end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      answers.add(await text(response))
    }
    agent.destroy()
    // The service saw one connection only.
    expect([...answers]).toEqual([expect.stringMatching(/^hello \/kept from \d+$/)])
  })

  it('carries chunked answers and uploads', async () => {
    expect(await (await fetch(`http://127.0.0.1:${web}/chunked`)).text()).toBe('one two three')
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 10; count++) yield Buffer.alloc(10_000, count)
    }
    const body = ReadableStream.from(parts())
    const answer = await fetch(`http://127.0.0.1:${web}/upload`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect(await answer.text()).toBe('100000')
  })

  it('carries server-sent events as they happen', async () => {
    const aborted = new AbortController()
    const response = await fetch(`http://127.0.0.1:${web}/events`, { signal: aborted.signal })
    let seen = ''
    for await (const chunk of response.body ?? []) {
      seen += Buffer.from(chunk as Uint8Array).toString()
      if (seen.includes('id: 5')) break
    }
    aborted.abort()
    expect(seen).toContain('id: 1\ndata: tick\n\n')
  })

  it('carries WebSockets, text and binary, and their end', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${web}/`)
    await once(socket, 'open')
    for (const message of ['text', 'x'.repeat(200_000)]) {
      socket.send(message)
      const [data] = (await once(socket, 'message')) as [Buffer]
      expect(data.toString()).toBe(message)
    }
    socket.send(Buffer.alloc(70_000, 7))
    const [data, binary] = (await once(socket, 'message')) as [Buffer, boolean]
    expect({ binary, same: data.equals(Buffer.alloc(70_000, 7)) }).toEqual({ binary: true, same: true })
    socket.close(4000, 'done')
    expect(((await once(socket, 'close')) as [number])[0]).toBe(4000)
  })

  it('carries bytes of any protocol, and the end of one direction', async () => {
    const socket = connect({ port: raw, host: '127.0.0.1', allowHalfOpen: true })
    socket.end('anything')
    expect(await text(socket)).toBe('anything')
  })

  it('reaches a service that listens on ::1 only', async () => {
    expect(await (await fetch(`http://127.0.0.1:${ipv6}/`)).text()).toBe('six')
  })
})
