import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { I2pBackend } from '../../../backends/i2p/index.ts'
import { parseAddress } from '../../../backends/i2p/address.ts'
import type { Visitor } from '../../../core/index.ts'
import { newHome } from './home.ts'
import { I2pScene, publish, say, visit } from './scene.ts'

let scene: I2pScene
let server: I2pBackend
let visitor: I2pBackend
let port: number
beforeAll(async () => {
  scene = new I2pScene()
  const [serving, visiting] = scene.ports
  server = await scene.backend(serving)
  visitor = await scene.backend(visiting)
  port = await scene.echo()
})
afterAll(() => scene[Symbol.asyncDispose]())

// Waiting for tunnels is most of each test, and all can wait together.
describe.concurrent('a tunnel on I2P', () => {
  it('tells its address at once, and then how far it is, until it was reached through the network', async ({ expect }) => {
    const { events, address } = await publish(server, port)
    const told = events.map((event) => (event.type === 'progress' ? event.phase : event.type))
    expect(told[0]).toBe('warning')
    expect(told[1]).toBe('address')
    expect(told.indexOf('building')).toBeLessThan(told.indexOf('published'))
    expect(told.indexOf('published')).toBeLessThan(told.indexOf('reachable'))
    expect(events.at(-1)).toMatchObject({ type: 'state', state: 'active', address })
    expect(events.filter((event) => event.type === 'progress').every(({ message }) => message.length > 20)).toBe(true)
  })

  it('says in its status what the router, the session and the address are, and no private key', async ({ expect }) => {
    const { id, address } = await publish(server, port, { name: 'status-test', network: { hostname: 'status-test.i2p' } })
    const status = await server.operate('status')
    const own = (status['tunnels'] as ReadonlyArray<Record<string, unknown>>).find((tunnel) => tunnel['id'] === id)
    expect(own).toMatchObject({ name: 'status-test', address, state: 'active', visitors: 0 })
    expect(own?.['addressHelper']).toMatch(/^http:\/\/status-test\.i2p\/\?i2paddresshelper=[A-Za-z0-9~-]{522}==$/)
    expect(status['router']).toMatchObject({ mode: 'attached', samVersion: '3.1' })
    const keys = Buffer.from((await server.exportKeys('status-test')) ?? []).toString()
    expect(keys.length).toBeGreaterThan(900)
    expect(JSON.stringify(status)).not.toContain(keys.slice(-300))
    // The name is known to this machine at once.
    expect(await say(await server.dial('http://status-test.i2p/'))).toBe('hello')
  })

  it('with an encrypted lease set is found under its long address only', async ({ expect }) => {
    const { address } = await publish(server, port, { name: 'encrypted-test', network: { encrypted: true } })
    expect(parseAddress(address)).toMatchObject({ kind: 'b33', needsKey: false })
    expect(await visit(visitor, address)).toBe('hello')
    const status = await server.operate('status')
    const own = (status['tunnels'] as ReadonlyArray<Record<string, unknown>>).find((tunnel) => tunnel['name'] === 'encrypted-test')
    expect(own).toMatchObject({ encrypted: true, clients: [] })
  })

  it.each(['psk', 'dh'] as const)('lets in clients by key (%s), and nobody else', async (auth) => {
    const secret = randomBytes(32)
    const pair = generateKeyPairSync('x25519')
    const raw = (part: string | undefined): string => Buffer.from(part ?? '', 'base64url').toString('base64')
    const published = auth === 'psk' ? secret.toString('base64') : raw(pair.publicKey.export({ format: 'jwk' }).x)
    const shown = auth === 'psk' ? published : raw(pair.privateKey.export({ format: 'jwk' }).d)
    const { address } = await publish(server, port, { network: { auth, clients: [`alice:${published}`] } })
    expect(parseAddress(address)).toMatchObject({ kind: 'b33', needsKey: true })
    expect(await visit(visitor, address, { network: { clientKey: shown } })).toBe('hello')
    await expect(visitor.dial(address)).rejects.toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED' })
    await expect(visitor.dial(address, { network: { clientKey: randomBytes(32).toString('base64') } })).rejects.toMatchObject({
      kind: 'unreachable',
    })
  })

  it('keeps to its access list, by destinations that stay the same', async ({ expect }) => {
    const keys: Array<string | undefined> = []
    const seen = await publish(server, port, {
      onStream: (stream, { key }: Visitor) => {
        keys.push(key)
        stream.on('error', () => {}).pipe(stream)
      },
    })
    await visit(visitor, seen.address, { network: { as: 'friend' } })
    const [friend] = keys
    expect(friend).toMatch(/^[a-z2-7]{52}\.b32\.i2p$/)
    const { address } = await publish(server, port, { network: { allow: [friend] } })
    expect(await visit(visitor, address, { network: { as: 'friend' } })).toBe('hello')
    await expect(visitor.dial(address).then((stream) => say(stream))).rejects.toThrow()
  })

  it('shows isolated visits as visitors who have nothing to do with each other', async ({ expect }) => {
    const keys: Array<string | undefined> = []
    const { address } = await publish(server, port, {
      onStream: (stream, { key }: Visitor) => {
        keys.push(key)
        stream.on('error', () => {}).pipe(stream)
      },
    })
    for (const isolation of ['a', 'b', 'a']) await visit(visitor, address, { isolation })
    expect(keys[0]).toBe(keys[2])
    expect(keys[0]).not.toBe(keys[1])
  })

  it('serves plain browsers, through another router’s HTTP proxy', async ({ expect }) => {
    const web = createServer((asked, response) => response.end(`you asked for ${asked.url}`))
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    scene.defer(() => web.close())
    const { address } = await publish(server, (web.address() as { port: number }).port)
    const proxy = inject('i2p').places[1]?.httpProxyPort ?? 0
    const get = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const asking = request({ host: '127.0.0.1', port: proxy, path: `${address}/page`, headers: { host: address.slice(7) } })
        asking.on('error', reject).on('response', (response: IncomingMessage) => {
          let body = ''
          response.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => resolve(`${response.statusCode} ${body}`))
        })
        asking.end()
      })
    await expect.poll(get, { timeout: 90_000, interval: 1_000 }).toBe('200 you asked for /page')
  })

  it('gives a visitor that reads late everything, although i2pd drops what was not read when the service ends', async ({ expect }) => {
    const bytes = 12 * 1024 * 1024
    const service = await scene.echo((socket) => void socket.once('data', () => socket.end(Buffer.alloc(bytes, 7))))
    const { address } = await publish(server, service)
    const stream = await visitor.dial(address)
    stream.write('now')
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    let got = 0
    for await (const chunk of stream) got += (chunk as Buffer).length
    expect(got).toBe(bytes)
  })

  it('has the address of a key file', async ({ expect }) => {
    const home = await newHome()
    scene.defer(() => home[Symbol.asyncDispose]())
    const first = await publish(server, port, { name: 'vanity' })
    const file = join(home.folder, 'vanity.txt')
    await writeFile(file, (await server.exportKeys('vanity')) ?? '', { mode: 0o600 })
    await server.stopTunnel(first.id)
    const again = await publish(visitor, port, { network: { keyFile: file } })
    expect(again.address).toBe(first.address)
  })
})

describe.concurrent('dialling on I2P', () => {
  it('says that nobody publishes an address', async ({ expect }) => {
    await expect(visitor.dial(`${'a'.repeat(51)}q.b32.i2p`)).rejects.toMatchObject({ kind: 'unreachable', code: 'BEAM_ERR_NOT_FOUND' })
  })

  it('says that nobody knows a name', async ({ expect }) => {
    await expect(visitor.dial('http://nobody-knows-this.i2p/')).rejects.toMatchObject({
      code: 'BEAM_ERR_NOT_FOUND',
      message: expect.stringContaining('does not know nobody-knows-this.i2p') as string,
    })
  })

  it('gives up a publisher who has left, whose lease set the router still knows', async ({ expect }) => {
    const impatient = await scene.backend(scene.ports[1], { first_byte_seconds: 5 })
    const { address, id } = await publish(server, port)
    await visit(impatient, address)
    await server.stopTunnel(id)
    await expect(impatient.dial(address).then((stream) => say(stream))).rejects.toMatchObject({ kind: 'timeout' })
  })
})
