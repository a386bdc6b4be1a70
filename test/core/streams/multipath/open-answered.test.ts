import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { StreamHandler } from '../../../../core/backend.ts'
import { systemClock } from '../../../../core/clock.ts'
import { MemoryStream } from '../../../../core/streams/memory-stream.ts'
import { askFarEnd, MultipathAcceptor, openAnswered } from '../../../../core/streams/multipath/index.ts'
import { echo } from './stage.ts'

const clock = systemClock
const never = new AbortController().signal

/** A visitor's stream whose far end comes to the acceptor, at once or later. */
function visit(handler: StreamHandler, { joins = false, afterMs = 0 } = {}): Duplex {
  const acceptor = new MultipathAcceptor({ handler, joins })
  const [near, far] = MemoryStream.pair()
  near.on('error', () => {})
  if (afterMs === 0) acceptor.handle(far, { backend: 'net' })
  else void delay(afterMs).then(() => acceptor.handle(far, { backend: 'net' }))
  return near
}

async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const open = (inner: Duplex, limitMs = 5_000, signal = never): Promise<Duplex> => openAnswered(inner, { clock, limitMs, signal })

describe('a stream whose far end says first that it is there', () => {
  it.each([0, 30])('carries bytes both ways as any other, with half-close (publisher is there after %i ms)', async (afterMs) => {
    const stream = await open(visit(echo, { afterMs }))
    const sent = randomBytes(1 << 20)
    stream.end(sent)
    expect((await readAll(stream)).equals(sent)).toBe(true)
  })

  it('brings the words of a service that speaks first once, in order', async () => {
    // Nothing is asked before the service has spoken.
    const inner = visit((stream) => {
      stream.write('SSH-2.0-server\r\n')
      stream.once('data', (chunk: Buffer) => stream.end(`you said ${chunk.toString()}`))
    })
    await delay(30)
    const stream = await open(inner)
    stream.write('SSH-2.0-client\r\n')
    expect((await readAll(stream)).toString()).toBe('SSH-2.0-server\r\nyou said SSH-2.0-client\r\n')
  })

  it('brings all that a service says who hangs up before it can be asked', async () => {
    const inner = visit((stream) => stream.resume().end('12:30\r\n'))
    await delay(30)
    expect((await readAll(await open(inner))).toString()).toBe('12:30\r\n')
  })

  it('is given up when nothing is heard, with nothing of the visitor sent', async () => {
    const [near, far] = MemoryStream.pair()
    let arrived = 0
    far.on('error', () => {}).on('data', (chunk: Buffer) => (arrived += chunk.length))
    await expect(open(near, 50)).rejects.toMatchObject({ kind: 'timeout' })
    expect(near.destroyed).toBe(true)
    expect(arrived).toBe(38)
  })

  it('fails when it breaks, and when it is called off', async () => {
    const [near, far] = MemoryStream.pair()
    const broken = open(near)
    far.on('error', () => {}).destroy()
    // Another way may be taken: nothing was said of the service.
    await expect(broken).rejects.toMatchObject({ code: 'BEAM_ERR_PEER_UNREACHABLE' })
    const caller = new AbortController()
    const [mine, theirs] = MemoryStream.pair()
    theirs.on('error', () => {})
    const called = open(mine, 5_000, caller.signal)
    caller.abort(new Error('no longer wanted'))
    await expect(called).rejects.toThrow('no longer wanted')
    expect(mine.destroyed).toBe(true)
  })
})

describe('a publisher who does not join streams', () => {
  it('says so when it is asked, without the service', async () => {
    const seen: Duplex[] = []
    expect(
      await askFarEnd(
        visit((stream) => seen.push(stream)),
        { clock, limitMs: 5_000 },
      ),
    ).toEqual({
      ms: expect.any(Number) as number,
      joins: false,
    })
    expect(seen).toHaveLength(0)
  })

  it('is told from one that is silent, and from something else', async () => {
    const [near, far] = MemoryStream.pair()
    far.on('error', () => {})
    await expect(askFarEnd(near, { clock, limitMs: 50 })).rejects.toMatchObject({ kind: 'timeout' })
    const [other] = [MemoryStream.pair()]
    echo(other[1], { backend: 'net' })
    await expect(askFarEnd(other[0], { clock, limitMs: 50 })).rejects.toMatchObject({ kind: 'unsupported' })
  })
})
