import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { generateIdentity, selfSignedCertificate, type BeamPaths } from '../../core/index.ts'
import { MemoryNetwork } from '../../core/testing/memory-network.ts'
import { createBackend, createBeam, type Beam, type BeamOptions, type PublishEvent } from '../../plugins/index.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const open: Array<() => PromiseLike<unknown>> = []
let network: MemoryNetwork
let options: BeamOptions
beforeEach(async () => {
  network = new MemoryNetwork()
  const paths = await temporaryPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  options = { config: { backends: [{ name: 'memory' }] }, plugins: [memoryPlugin({ network })], paths, env: {} }
})
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function beamOf(more: BeamOptions = {}): Promise<Beam> {
  const beam = await createBeam({ ...options, ...more })
  open.push(() => beam[Symbol.asyncDispose]())
  return beam
}

async function echo(): Promise<number> {
  const server = await echoServer()
  open.push(server.close)
  return server.port
}

const addressOf = (tunnel: { snapshot(): { endpoints: readonly { address: string }[] } }): string =>
  tunnel.snapshot().endpoints[0]?.address ?? ''

async function ask(port: number, question: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.end(question)
  return text(socket)
}

describe('publish and connect', () => {
  it('make a local port of one instance a local port of another', async () => {
    const [publisher, visitor] = [await beamOf(), await beamOf()]
    const tunnel = await publisher.publish(await echo())
    const connection = await visitor.connect(addressOf(tunnel))
    expect(await ask(connection.port, 'hello')).toBe('hello')
    expect(connection).toMatchObject({ host: '127.0.0.1', address: addressOf(tunnel), path: { backend: 'memory' } })
  })

  it('openStream() is one stream to the service', async () => {
    const beam = await beamOf()
    const stream = await beam.openStream(addressOf(await beam.publish(await echo())))
    stream.end('one')
    expect(await text(stream)).toBe('one')
  })

  it('find a service by its domain', async () => {
    const beam = await beamOf()
    await beam.publish(await echo(), { domain: 'myapp.local' })
    const connection = await beam.connect('http://myapp.local')
    expect(await ask(connection.port, 'by name')).toBe('by name')
  })

  it('end with the instance, and nothing can be started afterwards', async () => {
    const beam = await beamOf()
    const events: PublishEvent[] = []
    const tunnel = await beam.publish(await echo(), { onEvent: (event) => events.push(event) })
    const connection = await beam.connect(addressOf(tunnel))
    await beam[Symbol.asyncDispose]()
    expect(events.at(-1)).toMatchObject({ event: 'stopped', reason: 'Beam was stopped' })
    await expect(ask(connection.port, 'x')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(beam.publish(1)).rejects.toThrow('was stopped')
  })
})

describe('names', () => {
  it('keep the service key, and only one publisher at a time can have one', async () => {
    const beam = await beamOf()
    const port = await echo()
    const first = await beam.publish(port, { name: 'web' })
    const other = await beamOf({ plugins: [memoryPlugin()] })
    await expect(other.publish(port, { name: 'web' })).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_IN_USE' })
    await first.stop()
    const again = await other.publish(port, { name: 'web' })
    expect(addressOf(again)).toBe('memory://web')
  })

  it('are let go when publishing fails', async () => {
    const beam = await beamOf()
    const port = await echo()
    await expect(beam.publish(1, { name: 'web', requireService: true })).rejects.toMatchObject({ code: 'BEAM_ERR_SERVICE_DOWN' })
    await beam.publish(port, { name: 'web' })
  })
})

describe('access', () => {
  it('lets in who shows an allowed key', async () => {
    const [publisher, visitor] = [await beamOf(), await beamOf()]
    const key = await visitor.visitorKey()
    expect(await visitor.visitorKey()).toBe(key)
    const tunnel = await publisher.publish(await echo(), { access: { allow: [key] } })
    await expect(visitor.connect(addressOf(tunnel))).rejects.toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED' })
    const connection = await visitor.connect(addressOf(tunnel), { identity: true })
    expect(await ask(connection.port, 'me')).toBe('me')
  })

  it('lets in who knows the word', async () => {
    const beam = await beamOf()
    const tunnel = await beam.publish(await echo(), { access: { secret: 'sesame' } })
    await expect(beam.openStream(addressOf(tunnel), { secret: 'poppy' })).rejects.toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED' })
    expect(tunnel.snapshot().access).toContain('secret word')
    const stream = await beam.openStream(addressOf(tunnel), { secret: 'sesame' })
    stream.end('in')
    expect(await text(stream)).toBe('in')
  })
})

describe('listen', () => {
  it('makes visitors’ streams connections of a net.Server without a port', async () => {
    const beam = await beamOf()
    const tunnel = await beam.listen(createServer({ allowHalfOpen: true }, (socket) => socket.end('welcome')))
    const connection = await beam.connect(addressOf(tunnel))
    expect(await ask(connection.port, '')).toBe('welcome')
  })

  it('serves HTTP, kept connections and WebSocket upgrades of an http.Server', async () => {
    const beam = await beamOf()
    const server = createHttpServer((request, response) => {
      request.resume()
      response.end(`you asked for ${request.url ?? ''}`)
    })
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`echo ${String(message as Buffer)}`)))
    open.push(async () => sockets.close())
    const { port } = await beam.connect(addressOf(await beam.listen(server)))
    for (const path of ['/a', '/b']) expect(await (await fetch(`http://127.0.0.1:${port}${path}`)).text()).toBe(`you asked for ${path}`)

    const client = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(client, 'open')
    client.send('hi')
    const [answer] = (await once(client, 'message')) as [Buffer]
    expect(answer.toString()).toBe('echo hi')
    client.terminate()
  })
})

it('listen() serves TLS with a tls.Server', async () => {
  const beam = await beamOf()
  const server = createTlsServer({ ...selfSignedCertificate(generateIdentity()) }, (socket) => socket.end('welcome in private'))
  const { port } = await beam.connect(addressOf(await beam.listen(server)))
  expect(await text(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }))).toBe('welcome in private')
})

it('without a configuration there is the mesh, and nothing of it runs yet', async () => {
  const beam = await createBeam({ paths: options.paths as BeamPaths, env: {} })
  open.push(() => beam[Symbol.asyncDispose]())
  expect((await beam.backends()).filter(({ enabled }) => enabled)).toMatchObject([
    { name: 'mesh', source: 'built-in', status: { state: 'idle' } },
  ])
})

it('createBackend() makes a backend by itself, a new one each time', async () => {
  await using first = await createBackend('memory', options)
  await using second = await createBackend('memory', options)
  expect(first).not.toBe(second)
  expect((await first.getStatus()).state).toBe('idle')
  await expect(createBackend('nym', options)).rejects.toMatchObject({ code: 'BEAM_ERR_BACKEND_NOT_INSTALLED' })
})

it('reads a configuration file when it is told to', async () => {
  const file = join((options.paths as BeamPaths).config, 'beam.config.yaml')
  await writeFile(file, 'backends:\n  - name: memory\n    priority: 7\n', { mode: 0o600 })
  const beam = await createBeam({ ...options, configFile: file })
  open.push(() => beam[Symbol.asyncDispose]())
  expect((await beam.backends()).find(({ name }) => name === 'memory')).toMatchObject({ enabled: true, priority: 7 })
})

describe('backends', () => {
  it('are listed with what they can do, and with why they cannot be used', async () => {
    const beam = await beamOf({
      config: {
        backends: [
          { name: 'memory', priority: 2 },
          { name: 'nym', enabled: false },
        ],
      },
    })
    const list = await beam.backends()
    expect(list.find(({ name }) => name === 'memory')).toMatchObject({
      enabled: true,
      priority: 2,
      source: 'given',
      capabilities: { delivery: 'stream' },
      status: { state: 'idle' },
    })
    expect(list.find(({ name }) => name === 'nym')).toMatchObject({
      enabled: false,
      source: 'not installed',
      problem: expect.stringContaining('not installed') as string,
    })
  })

  it('that are unknown are an error with the nearest name; known ones that are missing say how to get them', async () => {
    const beam = await beamOf()
    await expect(beam.publish(1, { backends: ['memroy'] })).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_UNKNOWN',
      message: expect.stringContaining('"memory"') as string,
    })
    await expect(beam.publish(1, { backends: ['memory', 'nym'] })).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_NOT_INSTALLED',
      hint: expect.any(String) as string,
    })
  })

  it('of the configuration that are missing are passed over, and said to be', async () => {
    const events: PublishEvent[] = []
    const beam = await beamOf({
      config: {
        backends: [
          { name: 'nym', priority: 1 },
          { name: 'memory', priority: 2 },
        ],
      },
    })
    const tunnel = await beam.publish(await echo(), { onEvent: (event) => events.push(event) })
    expect(events[0]).toMatchObject({ event: 'warning', backend: 'nym', tunnel: tunnel.id, code: 'BEAM_ERR_BACKEND_NOT_INSTALLED' })
    expect(tunnel.snapshot().endpoints[0]?.backend).toBe('memory')
  })

  it('of other networks are never asked for the address of one that is missing', async () => {
    const beam = await beamOf()
    await expect(beam.connect('VLD0:abc')).rejects.toMatchObject({ code: 'BEAM_ERR_BACKEND_NOT_INSTALLED' })
  })
})
