import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toI2pBase64 } from '../../../backends/i2p/base64.ts'
import { b32Of } from '../../../backends/i2p/destination.ts'
import { Relay } from '../../../backends/i2p/relay.ts'
import { Traffic } from '../../../backends/i2p/traffic.ts'
import { silentLogger, type Visitor } from '../../../core/index.ts'
import { randomDestination } from './keys-for-tests.ts'
import { ManualClock } from './manual-clock.ts'

let relay: Relay
let port: number
let clock: ManualClock
let traffic: Traffic
const visitors: Visitor[] = []
const sockets: Socket[] = []

async function open(access: { allow?: string[]; deny?: string[] } = {}): Promise<void> {
  clock = new ManualClock()
  traffic = new Traffic()
  relay = new Relay({
    access: { allow: new Set(access.allow), deny: new Set(access.deny) },
    handler: (stream: Duplex, visitor) => {
      visitors.push(visitor)
      stream.on('error', () => {})
      stream.pipe(stream)
    },
    traffic,
    clock,
    logger: silentLogger,
  })
  port = await relay.listen()
}

/** A stream as the router delivers it. */
async function deliver(firstLine: string | Buffer): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (firstLine.length > 0) socket.write(firstLine)
  return socket
}

/** Also when it is reset, which `once` takes for a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()))
}

beforeEach(() => {
  visitors.length = 0
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await relay.close()
})

describe('the relay', () => {
  it('reads who comes and hands over the rest, also when both come in one piece', async () => {
    await open()
    const destination = randomDestination()
    const socket = await deliver(`${toI2pBase64(destination)}\nhello`)
    socket.end()
    expect(await text(socket)).toBe('hello')
    expect(visitors).toEqual([
      {
        backend: 'i2p',
        key: b32Of(destination),
        httpHeaders: {
          'x-i2p-destb32': b32Of(destination),
          'x-i2p-desthash': expect.stringMatching(/^[A-Za-z0-9~-]{43}=$/) as string,
          'x-i2p-destb64': toI2pBase64(destination),
        },
      },
    ])
    await expect.poll(() => traffic.figures).toEqual({ bytesIn: 5, bytesOut: 5, openStreams: 0, totalStreams: 1 })
  })

  it('takes the ports that SAM 3.2 adds to the line', async () => {
    await open()
    const destination = randomDestination()
    const socket = await deliver(`${toI2pBase64(destination)} FROM_PORT=0 TO_PORT=80\r\nx`)
    expect(String(((await once(socket, 'data')) as [Buffer])[0])).toBe('x')
    expect(visitors[0]?.key).toBe(b32Of(destination))
  })

  it.each<readonly [string, string]>([
    ['no destination', 'GET / HTTP/1.1\n'],
    ['a destination with something behind it', `${toI2pBase64(randomDestination())}AAAA\n`],
    ['a line that does not end', 'A'.repeat(5_000)],
    ['nothing and an end', ''],
  ])('resets what begins with %s', async (_what, line) => {
    await open()
    const socket = await deliver(line)
    if (line === '') socket.end()
    await closed(socket)
    expect(visitors).toEqual([])
  })

  it('does not wait for ever for the line', async () => {
    await open()
    const socket = await deliver('AAAA')
    const ended = closed(socket)
    await clock.pass(11_000)
    await ended
    expect(clock.pending).toBe(0)
  })

  it('keeps out whom the publisher does not want, and counts them', async () => {
    const [friend, foe] = [randomDestination(), randomDestination()]
    await open({ allow: [b32Of(friend), b32Of(foe)], deny: [b32Of(foe)] })
    const refused = await deliver(`${toI2pBase64(foe)}\nhello`)
    await closed(refused)
    const stranger = await deliver(`${toI2pBase64(randomDestination())}\nhello`)
    await closed(stranger)
    expect(visitors).toEqual([])
    expect(relay.refused).toBe(2)
    const welcome = await deliver(`${toI2pBase64(friend)}\nhello`)
    expect(String(((await once(welcome, 'data')) as [Buffer])[0])).toBe('hello')
  })

  it('gives itself a word when it visits itself, and does not bother the service', async () => {
    await open({ allow: [b32Of(randomDestination())] })
    const self = randomDestination()
    const forget = relay.expect(b32Of(self), 'word')
    const socket = await deliver(`${toI2pBase64(self)}\n`)
    socket.end()
    expect(await text(socket)).toBe('word\n')
    forget()
    const later = await deliver(`${toI2pBase64(self)}\n`)
    await closed(later)
    expect(visitors).toEqual([])
  })

  it('holds the end of a long answer back for a moment, since the visitor’s router may lose what the end overtakes', async () => {
    await open()
    const socket = await deliver(`${toI2pBase64(randomDestination())}\n`)
    let got = 0
    let ended = false
    socket.on('data', (chunk: Buffer) => (got += chunk.length)).once('end', () => (ended = true))
    socket.end(Buffer.alloc(100_000))
    await expect.poll(() => got).toBe(100_000)
    await clock.pass(400)
    expect(ended).toBe(false)
    await clock.pass(200)
    await expect.poll(() => ended).toBe(true)
    expect(clock.pending).toBe(0)
    const short = await deliver(`${toI2pBase64(randomDestination())}\n`)
    short.end('short')
    expect(await text(short)).toBe('short')
  })

  it('takes no more unknown streams than a router has on the way', async () => {
    await open()
    const waiting = await Promise.all(Array.from({ length: 140 }, () => deliver('A')))
    await expect
      .poll(() => waiting.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length, { timeout: 15_000 })
      .toBe(12)
  })

  it('resets everybody when it is closed', async () => {
    await open()
    const socket = await deliver(`${toI2pBase64(randomDestination())}\nx`)
    await once(socket, 'data')
    const ended = closed(socket)
    await relay.close()
    await ended
    expect(socket.readableEnded).toBe(false)
  })
})
