import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { filesBelow, freePort, Scene } from './scene.ts'

let scene: Scene
let service: number
beforeEach(async () => {
  scene = await Scene.open()
  service = await scene.serve(createHttpServer((_, response) => void response.end('here')))
})
afterEach(() => scene[Symbol.asyncDispose]())

const get = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) })).text()

describe('Ctrl-C', () => {
  it('ends both sides within 5 seconds in the middle of traffic, and nothing but the named key is left', async () => {
    const { process: publisher, address } = await scene.publish(service, ['--name', 'web', '--domain', 'myapp.local'])
    const { process: visitor, port } = await scene.visit(address)
    const held = connect(port, '127.0.0.1')
    held.on('error', () => {})
    held.write('GET / HTTP/1.1\r\n')
    await get(port)
    const closed = new Promise((resolve) => held.once('close', resolve))
    const asked = performance.now()
    const ends = await Promise.all([publisher.stop(), visitor.stop()])
    expect(performance.now() - asked).toBeLessThan(5_000)
    await closed
    expect(ends.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ])
    expect(filesBelow(join(scene.folder, 'home'))).toEqual([join('data', 'keys', 'service-web.key')])
    await expect(get(port)).rejects.toThrow()
  })

  it('ends both sides in order, also when the DHT does not answer', async () => {
    const env = { BEAM_P2P_BOOTSTRAP: `127.0.0.1:${await freePort()}`, BEAM_P2P_MDNS: 'loopback' }
    const { process: publisher, address } = await scene.publish(service, ['--domain', 'myapp.local'], env)
    const { process: visitor, port } = await scene.visit(address, [], env)
    expect(await get(port)).toBe('here')
    const asked = performance.now()
    const ends = await Promise.all([publisher.stop(), visitor.stop()])
    expect(performance.now() - asked).toBeLessThan(5_000)
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
  })

  it('ends at once when it comes while the service is being looked for', async () => {
    // Accepts and never says a word: the visitor waits for it.
    const silent = await scene.serve(createServer((socket) => void socket.on('error', () => {})))
    const { address, process: publisher } = await scene.publish(service)
    await publisher.stop()
    const visitor = scene.beam(['connect', `${address}@127.0.0.1:${silent}`])
    await visitor.event('progress')
    const asked = performance.now()
    const { code, stderr } = await visitor.stop()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(performance.now() - asked).toBeLessThan(5_000)
  })
})

describe('events', () => {
  it('come in order: the address before ready, ready once, stopped last', async () => {
    const { process: publisher, address } = await scene.publish(service)
    const { process: visitor } = await scene.visit(address)
    await visitor.stop('SIGTERM')
    await publisher.stop('SIGTERM')
    const names = (lines: readonly { readonly event: string }[]): string => lines.map(({ event }) => event).join(' ')
    expect(names(publisher.events)).toMatch(/^(progress )*address (progress )*ready (progress )*stopped$/)
    expect(names(visitor.events)).toMatch(/^(progress )*listening stopped$/)
    const ids = new Set(publisher.events.map(({ tunnel }) => (typeof tunnel === 'string' ? tunnel : (tunnel as { id: string }).id)))
    expect(ids.size).toBe(1)
  })
})

describe('the publisher that comes back under its name', () => {
  it('is found again by a visitor that never stopped, after kill -9 and at another port', async () => {
    const first = await scene.publish(service, ['--name', 'web'])
    const { process: visitor, port } = await scene.visit(first.address)
    expect(await get(port)).toBe('here')
    await first.process.stop('SIGKILL')
    await expect(get(port)).rejects.toThrow()
    expect(await visitor.event('down')).toMatchObject({ address: first.address })
    const second = await scene.publish(service, ['--name', 'web'])
    expect(second.address).toBe(first.address)
    await visitor.event('up')
    expect(await get(port)).toBe('here')
    expect(visitor.events.filter(({ event }) => event === 'error')).toEqual([])
  })

  it('needs nothing to be tidied up, whichever side was killed', async () => {
    const first = await scene.publish(service, ['--name', 'web'])
    const visit = await scene.visit(first.address)
    await Promise.all([first.process.stop('SIGKILL'), visit.process.stop('SIGKILL')])
    const second = await scene.publish(service, ['--name', 'web'])
    const again = await scene.visit(second.address, ['--port', String(visit.port)])
    expect(await get(again.port)).toBe('here')
    await Promise.all([second.process.stop(), again.process.stop()])
    expect(filesBelow(join(scene.folder, 'home'))).toEqual([join('data', 'keys', 'service-web.key')])
  })
})

describe('wrong usage', () => {
  it.each([
    ['no port', ['70000'], 'BEAM_ERR_PORT_INVALID'],
    ['an unknown flag', ['3000', '--frobnicate'], 'BEAM_ERR_USAGE'],
    ['no address', ['connect', 'beam://nothing'], 'BEAM_ERR_ADDRESS_INVALID'],
  ])('is an error event and exit code 2: %s', async (_, args, code) => {
    const outcome = await scene.run(args)
    expect(outcome.code).toBe(2)
    expect(outcome.events.filter(({ event }) => event === 'error')).toMatchObject([{ code }])
  })
})

describe('the local service', () => {
  it('may go and come back: visitors are refused meanwhile, and the tunnel stays', async () => {
    const port = await freePort()
    const { process: publisher, address } = await scene.publish(port)
    const visit = await scene.visit(address)
    await expect(get(visit.port)).rejects.toThrow()
    const server = createHttpServer((_, response) => void response.end('late'))
    await scene.serve(server, '127.0.0.1', port)
    await publisher.event('up')
    expect(await get(visit.port)).toBe('late')
    server.closeAllConnections()
    server.close()
    await expect(get(visit.port)).rejects.toThrow()
    expect(await publisher.event('down')).toMatchObject({ what: 'service' })
    // What fails is the service, not the way to it.
    expect(visit.process.events.map(({ event }) => event)).not.toContain('down')
  })
})
