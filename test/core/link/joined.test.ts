import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { connectForJoin, join, type LinkStream } from '../../../core/index.ts'
import { collect, listenForPair } from './pair.ts'

const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

/** The whole way of a byte: visitor's socket, link with side channel, service's socket. */
async function wayThrough(service: (socket: Socket) => void): Promise<AsyncDisposable & { visit: () => Promise<Socket> }> {
  const local = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => service(socket.on('error', () => {})))
  local.listen(0, '127.0.0.1')
  await once(local, 'listening')
  const { port } = local.address() as AddressInfo
  const pair = await listenForPair({ onStream: (stream: LinkStream) => void join(connectForJoin({ host: '127.0.0.1', port }), stream) })
  const { link } = await pair.dial()
  const front = createServer(
    { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
    (socket) => void join(socket, link.openStream('service')),
  )
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    async visit() {
      const socket = connect({ host: '127.0.0.1', port: (front.address() as AddressInfo).port, allowHalfOpen: true })
      await once(socket, 'connect')
      return socket
    },
    async [Symbol.asyncDispose]() {
      front.close()
      local.close()
      await pair[Symbol.asyncDispose]()
    },
  }
}

it('keeps every byte of heavy streams side by side, with readers of all speeds', async () => {
  const down = randomBytes(24 << 20)
  const received: Array<Promise<Buffer>> = []
  await using way = await wayThrough((socket) => {
    received.push(collect(socket, received.length % 2 === 0 ? 0 : 24))
    socket.end(down)
  })
  const up = randomBytes(24 << 20)
  const visitors = await Promise.all(
    Array.from({ length: 4 }, async (_, index) => {
      const socket = await way.visit()
      const got = collect(socket, index < 2 ? 0 : 16)
      socket.end(up)
      return got
    }),
  )
  for (const got of visitors) expect(sha(got)).toBe(sha(down))
  for (const got of await Promise.all(received)) expect(sha(got)).toBe(sha(up))
})

it('keeps every byte when long and short messages alternate', async () => {
  const parts = Array.from({ length: 3000 }, (_, index) => randomBytes(index % 7 === 0 ? 60_000 : 1 + (index % 900)))
  await using way = await wayThrough((socket) => {
    let next = 0
    const go = (): void => {
      const part = parts[next++]
      if (part === undefined) socket.end()
      else if (socket.write(part)) setImmediate(go)
      else socket.once('drain', go)
    }
    go()
    socket.resume()
  })
  const socket = await way.visit()
  socket.end()
  expect(sha(await collect(socket, 50))).toBe(sha(Buffer.concat(parts)))
})
