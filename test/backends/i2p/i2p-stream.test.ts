import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { I2pStream } from '../../../backends/i2p/i2p-stream.ts'
import { resetStream } from '../../../core/index.ts'
import { ManualClock } from './manual-clock.ts'

let server: Server
let router: Socket
let stream: I2pStream
let clock: ManualClock
let room = true
const MIB = 1024 * 1024

/** Both ends of one loopback connection: `router` plays the router, `stream` is ours. */
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  router = ((await once(server, 'connection')) as [Socket])[0]
  router.on('error', () => {})
  if (socket.connecting) await once(socket, 'connect')
  clock = new ManualClock()
  stream = new I2pStream(socket, { firstByteMs: 90_000, halfCloseMs: 20_000 }, { streamBytes: MIB, hasRoom: () => room }, clock)
  stream.on('error', () => {})
})
afterEach(async () => {
  stream.destroy()
  router.destroy()
  await new Promise((resolve) => server.close(resolve))
})

const gone = (): Promise<void> => new Promise((resolve) => stream.once('close', () => resolve()))

describe('a stream of I2P', () => {
  it('carries bytes both ways and ends when the far end does', async () => {
    stream.write('GET')
    expect(String(((await once(router, 'data')) as [Buffer])[0])).toBe('GET')
    router.end('answer')
    expect(await text(stream)).toBe('answer')
  })

  it('holds the visitor’s end back, so that an answer on its way is not lost', async () => {
    stream.end('request')
    await once(router, 'data')
    await clock.pass(15_000)
    expect(router.readableEnded).toBe(false)
    router.write('first part, ')
    await once(stream, 'readable')
    stream.resume()
    // Every byte puts the end off.
    await clock.pass(15_000)
    expect(router.readableEnded).toBe(false)
    const ended = once(router.resume(), 'end')
    await clock.pass(6_000)
    await ended
  })

  it('ends the visitor’s direction at once when the far end has ended', async () => {
    stream.end('request')
    const ended = once(router.resume(), 'end')
    router.end('answer')
    expect(await text(stream)).toBe('answer')
    await ended
  })

  it('takes an end before the first byte for a refusal: I2P does not tell the two apart', async () => {
    const failed = once(stream, 'error') as Promise<[Error]>
    stream.resume()
    router.end()
    expect((await failed)[0]).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('before it sent anything') as string })
  })

  it('but not where the visitor had ended its side: an upload without an answer is complete', async () => {
    stream.end('upload')
    router.resume().end()
    expect(await text(stream)).toBe('')
  })

  it('is given up when no byte ever comes, counted from the last one that was sent', async () => {
    const failed = once(stream, 'error') as Promise<[Error]>
    stream.resume()
    router.resume()
    await clock.pass(80_000)
    stream.write('still there?')
    await clock.pass(80_000)
    expect(stream.destroyed).toBe(false)
    await clock.pass(11_000)
    expect((await failed)[0]).toMatchObject({ kind: 'timeout', message: expect.stringContaining('within 90 s') as string })
  })

  it('may be silent for ever once something has come', async () => {
    router.write('x')
    stream.resume()
    await clock.pass(10)
    await clock.pass(10_000_000)
    expect(stream.destroyed).toBe(false)
    expect(clock.pending).toBe(0)
  })

  it('is reset when the router breaks it off', async () => {
    router.write('x')
    await once(stream, 'readable')
    stream.resume()
    const closed = gone()
    resetStream(router, new Error('test'))
    await closed
    expect(stream.readableEnded).toBe(false)
  })

  it.each([
    ['up to a bound of its own', true, MIB],
    ['not beyond what it has to, when others wait too', false, 16 * 1024],
  ])('takes bytes from the router before they are read, %s', async (_what, hasRoom, least) => {
    room = hasRoom
    router.write(Buffer.alloc(64 * MIB))
    await expect.poll(() => stream.readableLength).toBeGreaterThanOrEqual(least)
    for (let turn = 0; turn < 10; turn++) await clock.pass(1)
    expect(stream.readableLength).toBeLessThan(least + MIB / 2)
    room = true
    let got = 0
    stream.on('data', (chunk: Buffer) => (got += chunk.length)).resume()
    await expect.poll(() => got, { timeout: 10_000 }).toBe(64 * MIB)
  })

  it('leaves no timer behind', async () => {
    stream.end('x')
    await clock.pass(1)
    expect(clock.pending).toBeGreaterThan(0)
    const closed = gone()
    stream.destroy()
    await closed
    expect(clock.pending).toBe(0)
  })
})
