import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { connectForJoin, join, type JoinResult } from '../../../core/streams/index.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, onSocket)
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** client → proxy (join) → service */
async function proxied(service: (socket: Socket) => void): Promise<{ client: Socket; result: Promise<JoinResult> }> {
  const servicePort = await listen((socket) => {
    socket.on('error', () => {})
    service(socket)
  })
  let done!: (result: Promise<JoinResult>) => void
  const result = new Promise<JoinResult>((resolve) => (done = resolve))
  const port = await listen((socket) => done(join(socket, connectForJoin({ host: '127.0.0.1', port: servicePort }))))
  const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  await once(client, 'connect')
  return { client, result }
}

/** Reads to the end by events: an async iterator would destroy the socket's other direction. */
async function collect(stream: Duplex, pauseMs = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (pauseMs === 0 || chunks.length % 16 !== 0) return
    stream.pause()
    setTimeout(() => stream.resume(), pauseMs)
  })
  stream.resume()
  await once(stream, 'end')
  return Buffer.concat(chunks)
}
const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

it('carries bytes both ways exactly, with a slow reader on either side', async () => {
  const up = randomBytes(24 << 20)
  const down = randomBytes(24 << 20)
  let received: Promise<Buffer> | undefined
  const { client, result } = await proxied((socket) => {
    received = collect(socket, 1)
    socket.end(down)
  })
  client.end(up)
  expect(sha(await collect(client, 1))).toBe(sha(down))
  expect(sha((await received) as Buffer)).toBe(sha(up))
  expect(await result).toEqual({ outcome: 'ended', bytesAToB: up.length, bytesBToA: down.length })
})

it('keeps the other direction open after an end, whoever ends first', async () => {
  const first = await proxied((socket) => {
    socket.resume()
    socket.on('end', () => socket.end('after your end'))
  })
  first.client.end('done')
  expect((await collect(first.client)).toString()).toBe('after your end')
  expect((await first.result).outcome).toBe('ended')

  let received: Promise<Buffer> | undefined
  const second = await proxied((socket) => {
    socket.end('service ends first')
    received = collect(socket)
  })
  expect((await collect(second.client)).toString()).toBe('service ends first')
  const late = randomBytes(2 << 20)
  second.client.end(late)
  expect(sha((await received) as Buffer)).toBe(sha(late))
  expect((await second.result).outcome).toBe('ended')
})

it('passes a reset on as a reset, in both directions', async () => {
  const down = await proxied((socket) => {
    socket.write('some bytes', () => socket.resetAndDestroy())
  })
  down.client.resume()
  const [error] = (await once(down.client, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  expect((await down.result).outcome).toBe('reset')

  let seen: Promise<unknown[]> | undefined
  const up = await proxied((socket) => {
    socket.resume()
    seen = once(socket, 'error')
  })
  up.client.write('x')
  await wait(20)
  up.client.resetAndDestroy()
  const result = await up.result
  expect(((await seen) as [NodeJS.ErrnoException])[0].code).toBe('ECONNRESET')
  expect(result.outcome).toBe('reset')
})

it('resets the other side when one side was destroyed before its end', async () => {
  const lost = new PassThrough()
  let result: Promise<JoinResult> | undefined
  const port = await listen((socket) => {
    result = join(socket, lost)
    lost.destroy()
  })
  const client = connect({ host: '127.0.0.1', port })
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  expect((await result)?.outcome).toBe('reset')
})

it('resets the visitor when the service cannot be dialled', async () => {
  const closed = createServer()
  closed.listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port: nobody } = closed.address() as AddressInfo
  closed.close()
  let result: Promise<JoinResult> | undefined
  const port = await listen((socket) => (result = join(socket, connectForJoin({ host: '127.0.0.1', port: nobody }))))
  const client = connect({ host: '127.0.0.1', port })
  await once(client, 'error')
  expect((await result)?.error?.message).toMatch(/ECONNREFUSED/)
})

it('holds little in memory for a reader that stands still', async () => {
  const chunk = Buffer.alloc(1 << 20)
  let written = 0
  const { client } = await proxied((socket) => {
    const fill = (): void => {
      while (written < 512 << 20 && socket.write(chunk)) written += chunk.length
      written += chunk.length
    }
    socket.on('drain', fill)
    fill()
  })
  client.pause()
  await wait(300)
  expect(written).toBeLessThan(64 << 20)
  client.destroy()
})

it('gives the destination bytes that do not change afterwards, whatever it is', async () => {
  const data = randomBytes(8 << 20)
  const port = await listen((socket) => socket.end(data))
  const kept: Buffer[] = []
  const keeper = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      kept.push(chunk)
      setImmediate(callback)
    },
    final(callback) {
      this.push(null)
      callback()
    },
  })
  await join(connectForJoin({ host: '127.0.0.1', port }), keeper.resume())
  expect(sha(Buffer.concat(kept))).toBe(sha(data))
})
