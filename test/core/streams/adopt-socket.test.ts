import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { adoptForJoin } from '../../../core/streams/adopt-socket.ts'
import { join } from '../../../core/streams/join.ts'

const open: Array<() => unknown> = []
afterEach(() => {
  for (const close of open.splice(0).reverse()) close()
})

/** Both ends of a connection: the one that dialled, and the accepted one. */
async function pair(): Promise<{ dialled: Socket; accepted: Socket; server: ReturnType<typeof createServer> }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dialled = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [accepted] = (await once(server, 'connection')) as [Socket]
  open.push(
    () => server.close(),
    () => dialled.destroy(),
  )
  return { dialled, accepted, server }
}

async function read(socket: Socket, slow = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  // Not by `for await`, which destroys a socket at its end, with what it still has to write.
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (slow-- <= 0) return
    socket.pause()
    setTimeout(() => socket.resume(), 2)
  })
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

it('two adopted sockets that are joined carry every byte both ways, with what was read before, to slow readers', async () => {
  const [a, b] = [await pair(), await pair()]
  const [there, back] = [randomBytes(12 << 20), randomBytes(12 << 20)]
  a.dialled.end(there)
  b.dialled.end(back)
  // Some bytes are in Node's hands already.
  await once(a.accepted, 'readable')
  const first = a.accepted.read(7) as Buffer
  a.accepted.unshift(first)
  const joined = join(adoptForJoin(a.accepted), adoptForJoin(b.accepted))
  const [atB, atA] = await Promise.all([read(b.dialled, 50), read(a.dialled, 50)])
  expect(atB.equals(there)).toBe(true)
  expect(atA.equals(back)).toBe(true)
  expect(await joined).toMatchObject({ outcome: 'ended', bytesAToB: there.length, bytesBToA: back.length })
})

it('an end that came before is not lost', async () => {
  const [a, b] = [await pair(), await pair()]
  a.dialled.end('last words')
  await once(a.accepted, 'readable')
  await wait(50)
  const joined = join(adoptForJoin(a.accepted), adoptForJoin(b.accepted))
  expect((await read(b.dialled)).toString()).toBe('last words')
  b.dialled.end()
  expect((await joined).outcome).toBe('ended')
})

it('passes a reset on as a reset', async () => {
  const [a, b] = [await pair(), await pair()]
  const joined = join(adoptForJoin(a.accepted), adoptForJoin(b.accepted))
  const failed = once(b.dialled, 'error') as Promise<[NodeJS.ErrnoException]>
  a.dialled.resetAndDestroy()
  expect((await failed)[0].code).toBe('ECONNRESET')
  expect((await joined).outcome).toBe('reset')
})

it('the listener is free of it: nothing holds its end up', async () => {
  const { dialled, accepted, server } = await pair()
  const adopted = adoptForJoin(accepted)
  expect(accepted.destroyed).toBe(true)
  await expect.poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(0)
  adopted.destroy()
  dialled.resume()
  await once(dialled, 'end')
})

it('leaves alone what is no socket, or cannot be taken over', () => {
  const stream = new PassThrough()
  expect(adoptForJoin(stream)).toBe(stream)
  const gone = connect({ port: 9, host: '127.0.0.1' })
  gone.on('error', () => {})
  gone.destroy()
  expect(adoptForJoin(gone)).toBe(gone)
})
