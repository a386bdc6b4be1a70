import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resetConnections, resettingService } from '../helpers/resets.ts'
import { residentMiB, Scene, type Publication, type Visit } from './scene.ts'

/** More than a start-up and the buffers of one link; a hundredth of what would be held if nothing bounded it. */
const MAX_MIB = 400
/** test/live has more of them. */
const RESETS = 1_000
const STALLED = 100

let scene: Scene
let publication: Publication
let visit: Visit

async function tunnelTo(port: number): Promise<void> {
  publication = await scene.publish(port)
  visit = await scene.visit(publication.address)
}
beforeEach(async () => {
  scene = await Scene.open()
})
afterEach(() => scene[Symbol.asyncDispose]())

const get = async (): Promise<string> =>
  (await fetch(`http://127.0.0.1:${visit.port}/`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) })).text()

/** Both processes still run, have said nothing of trouble, and have not grown without bounds. */
function expectUnharmed(): void {
  for (const { process } of [publication, visit]) {
    expect(process.child.exitCode).toBeNull()
    expect(process.stderr).toBe('')
    expect(process.events.filter(({ event }) => event === 'error' || event === 'down')).toEqual([])
    expect(residentMiB(process.child.pid) ?? 0).toBeLessThan(MAX_MIB)
  }
}

describe('a tunnel', () => {
  it(`stands ${RESETS} connections that are reset in a row, by the visitor and by the service`, async () => {
    await tunnelTo(await scene.serve(resettingService()))
    await resetConnections(visit.port, RESETS)
    await expect.poll(() => get().catch(() => ''), { timeout: 10_000 }).toBe('alive')
    expectUnharmed()
  })

  it(`serves others while ${STALLED} visitors do not read`, async () => {
    const endless = randomBytes(65_536)
    const server = createHttpServer((request, response) => {
      if (request.url !== '/endless') {
        response.end('alive')
        return
      }
      const more = (): void => void (response.write(endless) && setImmediate(more))
      response.on('drain', more).on('error', () => {})
      more()
    })
    await tunnelTo(await scene.serve(server))
    const stalled = Array.from({ length: STALLED }, () => {
      const socket = connect(visit.port, '127.0.0.1').on('error', () => {})
      socket.pause().write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n')
      return socket
    })
    scene.defer(() => stalled.forEach((socket) => socket.destroy()))
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(await get()).toBe('alive')
    expectUnharmed()
    // One that reads again gets what was held back, and more.
    let bytes = 0
    stalled[0]?.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume()
    await expect.poll(() => bytes, { timeout: 10_000 }).toBeGreaterThan(10_000_000)
  })

  it('does not mind what strangers send to its listener', async () => {
    await tunnelTo(await scene.serve(createHttpServer((_, response) => void response.end('alive'))))
    const [port] = publication.direct.split(':').slice(-1).map(Number)
    const strangers: Socket[] = []
    scene.defer(() => strangers.forEach((socket) => socket.destroy()))
    const say = (bytes: string | Uint8Array): void => {
      const socket = connect(port as number, '127.0.0.1').on('error', () => {})
      socket.write(bytes)
      strangers.push(socket)
    }
    // Nothing, noise, HTTP, half a TLS record, a TLS hello that is cut off.
    for (let count = 0; count < 20; count++) {
      say('')
      say(randomBytes(50_000))
      say('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
      say(Buffer.from('160301ffff0100', 'hex'))
      say(Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(64)]))
    }
    // TLS without a certificate.
    const anonymous = connectTls({ port: port as number, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    anonymous.on('error', () => {}).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    await once(anonymous, 'close')
    const other = await scene.visit(publication.address)
    visit = other
    expect(await get()).toBe('alive')
    expectUnharmed()
  })

  it.runIf(process.platform === 'linux')('survives a time without descriptors on either side', async () => {
    await tunnelTo(await scene.serve(createHttpServer((_, response) => void response.end('alive'))))
    expect(await get()).toBe('alive')
    for (const { process } of [publication, visit]) {
      const limit = (count: number): unknown => spawnSync('prlimit', [`--pid=${process.child.pid}`, `--nofile=${count}:4096`]).status
      expect(limit(40)).toBe(0)
      const held: Socket[] = []
      for (let count = 0; count < 150; count++) {
        const socket = connect(visit.port, '127.0.0.1').on('error', () => {})
        socket.write('GET ')
        held.push(socket)
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
      for (const socket of held) socket.destroy()
      await expect.poll(() => get().catch(String), { timeout: 15_000 }).toBe('alive')
      expect(limit(4_096)).toBe(0)
    }
    expectUnharmed()
  })
})

describe('what breaks off', () => {
  it('is seen as a reset and not as an end: the service', async () => {
    await tunnelTo(await scene.serve(createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()))))
    const socket = connect(visit.port, '127.0.0.1')
    socket.write('x')
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    expectUnharmed()
  })

  it.each(['visitor', 'publisher'] as const)('is seen as a reset and not as an end: the process of the %s', async (killed) => {
    const far: Promise<Socket> = new Promise((resolve) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {})
        // A probe says nothing.
        socket.once('data', () => resolve(socket))
      })
      void scene
        .serve(server)
        .then(tunnelTo)
        .then(() => near.connect(visit.port, '127.0.0.1').write('half a sentence'))
    })
    const near = new Socket({ allowHalfOpen: true }).on('error', () => {})
    scene.defer(() => near.destroy())
    const observed = killed === 'visitor' ? await far : (await far, near)
    let ended = false
    observed.once('end', () => (ended = true)).resume()
    const broken = new Promise((resolve) => observed.once('error', resolve))
    await (killed === 'visitor' ? visit : publication).process.stop('SIGKILL')
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    expect(ended).toBe(false)
  })
})
