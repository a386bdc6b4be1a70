import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { generateIdentity, silentLogger, type BeamError } from '../../../core/index.ts'
import { dialLink } from '../../../core/link/index.ts'
import { collect, listenForPair, streamPair } from './pair.ts'

const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

it('carries small and heavy streams byte-exactly, both ways at once, with slow readers', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  for (const size of [0, 1, 70_000, 40 << 20]) {
    const { near, far } = await streamPair(pair, dialled)
    const up = randomBytes(size)
    const down = randomBytes(size)
    const received = Promise.all([collect(near, 64), collect(far, 64)])
    near.end(up)
    far.end(down)
    const [gotDown, gotUp] = await received
    expect(sha(gotUp), `up ${size}`).toBe(sha(up))
    expect(sha(gotDown), `down ${size}`).toBe(sha(down))
    expect(near.hasPipe).toBe(size > 4 << 20)
  }
})

it('keeps the other direction open after an end, whoever ends first and however late the reader is touched', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  for (const first of ['near', 'far'] as const) {
    for (const size of [10, 2 << 20, 12 << 20]) {
      const streams = await streamPair(pair, dialled)
      const a = streams[first]
      const b = streams[first === 'near' ? 'far' : 'near']
      a.end('early')
      expect((await collect(b)).toString()).toBe('early')
      const late = randomBytes(size)
      b.end(late)
      await wait(20)
      expect(sha(await collect(a)), `${first} ends first, then ${size}`).toBe(sha(late))
    }
  }
})

it('does not stand still when both ends write more than the network takes, without side channels', async () => {
  await using pair = await listenForPair()
  await using outer = await listenForPair({ onStream: (stream) => pair.listener.accept(stream) })
  const carrier = await outer.dial()
  const nested = await pair.dial(carrier.link.openStream('relay'))
  const data = randomBytes(8 << 20)
  const streams = []
  for (let i = 0; i < 6; i++) streams.push(await streamPair(pair, nested))
  const all = streams.flatMap(({ near, far }) => {
    near.end(data)
    far.end(data)
    return [collect(near), collect(far)]
  })
  for (const got of await Promise.all(all)) expect(sha(got)).toBe(sha(data))
})

it('tells a reset from an end, in both directions, before and after a half-close', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  for (const breaker of ['near', 'far'] as const) {
    for (const halfClosed of [false, true]) {
      const streams = await streamPair(pair, dialled)
      const a = streams[breaker]
      const b = streams[breaker === 'near' ? 'far' : 'near']
      a.write('some')
      b.write('some')
      a.resume()
      b.resume()
      await wait(5)
      if (halfClosed) {
        a.end()
        await once(b, 'end')
      }
      let ended = false
      if (!halfClosed) b.once('end', () => (ended = true))
      const failed = once(b, 'error')
      a.destroy()
      const [error] = (await failed) as [BeamError]
      expect(error.code, `${breaker} breaks, half-closed ${halfClosed}`).toBe('BEAM_ERR_STREAM_RESET')
      expect(ended).toBe(false)
    }
  }
})

it('breaks a heavy stream off in the midst of its side channel as a reset', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  for (const breaker of ['near', 'far'] as const) {
    const { near, far } = await streamPair(pair, dialled)
    const chunk = Buffer.alloc(1 << 20)
    const pour = (): void => {
      while (!far.destroyed && far.write(chunk));
    }
    far.on('drain', pour)
    pour()
    let received = 0
    near.on('data', (data: Buffer) => (received += data.length))
    while (received < 16 << 20) await wait(1)
    expect(near.hasPipe).toBe(true)
    const other = breaker === 'near' ? far : near
    const failed = once(other, 'error')
    ;(breaker === 'near' ? near : far).destroy()
    const [error] = (await failed) as [BeamError]
    expect(['BEAM_ERR_STREAM_RESET', 'EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']).toContain(error.code)
  }
})

it('survives 5,000 resets in a row by either side on one link', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  for (let round = 0; round < 5000; round++) {
    const { near, far } = await streamPair(pair, dialled)
    const breaker = round % 4 === 0 ? far : near
    breaker.destroy()
  }
  expect(dialled.link.usable).toBe(true)
  const { near, far } = await streamPair(pair, dialled)
  far.end('alive')
  expect((await collect(near)).toString()).toBe('alive')
}, 60_000)

it('serves the 101st stream while 100 readers stand still, in bounded memory', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  const chunk = Buffer.alloc(256 << 10)
  const before = process.memoryUsage.rss()
  for (let i = 0; i < 100; i++) {
    const { near, far } = await streamPair(pair, dialled)
    near.pause()
    const pour = (): void => {
      while (!far.destroyed && far.write(chunk));
    }
    far.on('drain', pour)
    pour()
  }
  await wait(300)
  const { near, far } = await streamPair(pair, dialled)
  const data = randomBytes(2 << 20)
  far.end(data)
  expect(sha(await collect(near))).toBe(sha(data))
  // Both ends are in this process: twice the budget of 64 MiB, and what the writers may queue.
  expect(process.memoryUsage.rss() - before).toBeLessThan(512 << 20)
})

it('refuses a far end with another key, before anything is sent', async () => {
  await using pair = await listenForPair()
  const wrong = dialLink({
    to: { host: '127.0.0.1', port: pair.port },
    expectedKey: generateIdentity().publicKey,
    identity: generateIdentity(),
    logger: silentLogger,
  })
  await expect(wrong).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_MISMATCH', kind: 'unreachable' })
  expect(pair.arrived).toEqual([])
})

it('tells a refusal with its code and the reason', async () => {
  await using pair = await listenForPair({
    judge: () => ({ status: 403, code: 'BEAM_ERR_ACCESS_DENIED', message: 'Not on the list.\u001b[31m' }),
  })
  const { link } = await pair.dial()
  await expect(link.hello()).rejects.toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED', message: 'Not on the list. [31m' })
  const stream = link.openStream('service')
  stream.write('too eager')
  const [error] = (await once(stream, 'error')) as [BeamError]
  expect(error.code).toBe('BEAM_ERR_ACCESS_DENIED')
  expect(link.usable).toBe(true)
})

it('gives up on what is no link: garbage, silence cut short, a closed port', async () => {
  const garbage = createServer((socket) => {
    socket.on('error', () => {}).resume()
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  garbage.listen(0, '127.0.0.1')
  await once(garbage, 'listening')
  const { port } = garbage.address() as AddressInfo
  const dial = (signal?: AbortSignal): Promise<unknown> =>
    dialLink({
      to: { host: '127.0.0.1', port },
      expectedKey: randomBytes(32),
      identity: generateIdentity(),
      logger: silentLogger,
      ...(signal && { signal }),
    })
  await expect(dial()).rejects.toMatchObject({ kind: 'unreachable' })
  garbage.close()
  await once(garbage, 'close')
  await expect(dial()).rejects.toMatchObject({ code: 'BEAM_ERR_PEER_UNREACHABLE' })

  const silent = createServer(() => {})
  silent.listen(port, '127.0.0.1')
  await once(silent, 'listening')
  await expect(dial(AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' })
  silent.close()
})

it('outlives peers that send garbage, show no key, or stall', async () => {
  await using pair = await listenForPair()
  const sockets = Array.from({ length: 40 }, (_, i) => {
    const socket = connect({ host: '127.0.0.1', port: pair.port })
    socket.on('error', () => {})
    if (i % 2 === 0) socket.write(randomBytes(4096))
    return socket
  })
  await wait(50)
  const dialled = await pair.dial()
  const { near, far } = await streamPair(pair, dialled)
  near.end('x')
  expect((await collect(far)).toString()).toBe('x')
  for (const socket of sockets) socket.destroy()
})

it('breaks its streams off as resets when the connection is lost, and says so once', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  const { near, far } = await streamPair(pair, dialled)
  near.resume()
  const reasons: string[] = []
  dialled.link.onClose((reason) => reasons.push(reason))
  const failed = once(near, 'error')
  for (const link of pair.listener.links) link.close({ reason: 'test' })
  expect(((await failed)[0] as BeamError).kind).toBe('unreachable')
  expect(far.destroyed).toBe(true)
  expect(reasons).toHaveLength(1)
  expect(dialled.link.usable).toBe(false)
  expect(() => dialled.link.openStream('service')).toThrowError(expect.objectContaining({ code: 'BEAM_ERR_LINK_CLOSED' }))
})

it('runs inside a stream of another link', async () => {
  await using inner = await listenForPair()
  await using outer = await listenForPair({ onStream: (stream) => inner.listener.accept(stream) })
  const carrier = await outer.dial()
  const nested = await inner.dial(carrier.link.openStream('relay'))
  const { near, far } = await streamPair(inner, nested)
  const data = randomBytes(12 << 20)
  near.end(data)
  expect(sha(await collect(far))).toBe(sha(data))
  expect(near.hasPipe).toBe(false)
})
