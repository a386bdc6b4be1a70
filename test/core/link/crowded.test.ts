import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { MAX_HANDSHAKES } from '../../../core/link/constants.ts'
import { collect, listenForPair, streamPair } from './pair.ts'
import { rawVisitor } from './raw-visitor.ts'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

it('lets an honest dialler in beside a thousand connections that say nothing', async () => {
  await using pair = await listenForPair()
  let closed = 0
  for (let batch = 0; batch < 10; batch++) {
    const connected = Array.from({ length: 100 }, async () => {
      const socket = createConnection(pair.port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {}).on('close', () => closed++)
      await once(socket, 'connect')
    })
    await Promise.all(connected)
  }
  await (await pair.dial()).link.hello()
  // Those that came first made room; no more than the limit are held.
  await expect.poll(() => sockets.length - closed).toBeLessThanOrEqual(MAX_HANDSHAKES)
})

it('drops the oldest link without streams when there are too many, and none that carries something', async () => {
  await using pair = await listenForPair({ maxLinks: 4 })
  const idle = await pair.dial()
  const dropped = new Promise<void>((resolve) => idle.link.onClose(() => resolve()))
  const busy = await pair.dial()
  const { near, far } = await streamPair(pair, busy)
  far.accept()
  for (let stranger = 0; stranger < 12; stranger++) await pair.dial()
  await dropped
  expect(pair.listener.links.length).toBe(4)
  expect(busy.link.usable).toBe(true)
  const received = collect(far)
  near.end('still here')
  expect((await received).toString()).toBe('still here')
  await (await pair.dial()).link.hello()
})

it('refuses a link when all of them carry something', async () => {
  await using pair = await listenForPair({ maxLinks: 1 })
  const busy = await pair.dial()
  await streamPair(pair, busy)
  await expect(pair.dial().then(({ link }) => link.hello())).rejects.toThrow()
  expect(busy.link.usable).toBe(true)
})

it('does not let side channels without an owner keep the listener full', async () => {
  await using pair = await listenForPair({ maxLinks: 8, onStream: (stream) => stream.accept() })
  using visitor = await rawVisitor(pair.port)
  const first = await visitor.openPipe()
  const gone = once(
    first.resume().on('error', () => {}),
    'close',
  )
  for (let batch = 0; batch < MAX_HANDSHAKES / 8; batch++) {
    for (const pipe of await Promise.all(Array.from({ length: 8 }, () => visitor.openPipe()))) pipe.on('error', () => {})
  }
  await gone
  await (await pair.dial()).link.hello()
})
