import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../core/clock.ts'
import { MemoryStream } from '../../../../core/streams/memory-stream.ts'
import { askFarEnd, MultipathAcceptor } from '../../../../core/streams/multipath/index.ts'
import { encodeAnswer, encodePreamble, newStreamId } from '../../../../core/streams/multipath/preamble.ts'
import { encodeFrame } from '../../../../core/streams/ranges/index.ts'
import { on, readAll } from './on-stage.ts'
import { echo } from './stage.ts'

describe('ordinary visitors of the same tunnel', () => {
  it('get their bytes unchanged when they speak first', async () => {
    const { dial } = await on(echo, [{}])
    const stream = await dial(0)
    const sent = randomBytes(300_000)
    stream.end(sent)
    expect((await readAll(stream)).equals(sent)).toBe(true)
  })

  it('get the words of a service that speaks first without saying anything', async () => {
    const { dial } = await on((stream) => stream.end('220 ready'), [{}])
    const stream = await dial(0)
    expect((await readAll(stream)).toString()).toBe('220 ready')
    stream.end()
  })

  it('get an answer to nothing but an end', async () => {
    const { dial } = await on(
      (stream) => {
        stream.resume()
        stream.on('end', () => stream.end('bye'))
      },
      [{}],
    )
    const stream = await dial(0)
    stream.end()
    expect((await readAll(stream)).toString()).toBe('bye')
  })

  it('may begin with the first bytes of a preamble', async () => {
    const { dial } = await on(echo, [{}])
    const stream = await dial(0)
    stream.write(Buffer.from('d7a9', 'hex'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    stream.end(Buffer.from('00', 'hex'))
    expect((await readAll(stream)).toString('hex')).toBe('d7a900')
  })

  it('are reset when the service is', async () => {
    const { dial } = await on((stream) => void stream.destroy(new Error('no')), [{}])
    const stream = await dial(0)
    stream.on('error', () => {})
    await expect.poll(() => stream.destroyed).toBe(true)
    expect(stream.readableEnded).toBe(false)
  })
})

describe('a service that speaks first', () => {
  it('is heard once and in order over several paths', async () => {
    const { open: openStream } = await on(
      (stream, visitor) => {
        stream.write('220 ready\n')
        echo(stream, visitor)
      },
      [{ delayMs: 5 }, { delayMs: 5 }],
    )
    const stream = await openStream()
    stream.end('QUIT\n')
    expect((await readAll(stream)).toString()).toBe('220 ready\nQUIT\n')
  })

  it('may say a lot before it knows who is there', async () => {
    const said = randomBytes(700_000)
    const { open: openStream } = await on(
      (stream) => {
        stream.write(said)
        stream.once('data', () => stream.end())
      },
      [{ delayMs: 5 }, { delayMs: 20 }],
    )
    const stream = await openStream()
    stream.end('enough')
    expect((await readAll(stream)).equals(said)).toBe(true)
  })
})

describe('who may join', () => {
  const preambleOf = (id: Buffer, kind: 'stream' | 'probe' = 'stream'): Buffer => encodePreamble({ kind, id, windowBytes: 65_536 })

  it('nobody whom the network calls by another name', async () => {
    const seen: Duplex[] = []
    const acceptor = new MultipathAcceptor({ handler: (stream) => seen.push(stream) })
    const id = newStreamId()
    const answers: Buffer[] = []
    for (const key of ['anna', 'anna', 'berta']) {
      const [near, far] = MemoryStream.pair()
      near.on('error', () => {})
      near.write(preambleOf(id))
      acceptor.handle(far, { backend: 'net', key })
      answers.push((await once(near, 'data'))[0] as Buffer)
    }
    expect(answers.map((answer) => answer.equals(encodeAnswer(id, 'yes')))).toEqual([true, true, false])
    expect(answers[2]?.equals(encodeAnswer(id, 'not-here'))).toBe(true)
    expect(seen).toHaveLength(1)
    acceptor.close()
  })

  it('nobody once the stream has ended', async () => {
    const { dial, open: openStream } = await on(echo, [{}])
    const written: Buffer[] = []
    const stream = await openStream()
    stream.end('x')
    await readAll(stream)
    const tap = await dial(0)
    tap.on('error', () => {})
    const id = newStreamId()
    tap.write(preambleOf(id))
    tap.on('data', (chunk: Buffer) => written.push(chunk))
    await expect.poll(() => Buffer.concat(written).equals(encodeAnswer(id, 'yes'))).toBe(true)
    tap.write(
      encodeFrame({
        type: 'reset',
        stream: 1,
        offset: 5,
        data: Buffer.alloc(0),
        fin: false,
        answer: false,
        resent: false,
        ack: undefined,
        sentAt: 1,
        echo: 0,
      }),
    )
    await expect.poll(() => tap.readableEnded).toBe(true)
    const late = await dial(0)
    late.write(preambleOf(id))
    const [answer] = (await once(late, 'data')) as [Buffer]
    expect(answer.equals(encodeAnswer(id, 'no'))).toBe(true)
  })

  it('a path that breaks the rules is broken off, and the service is not told nonsense', async () => {
    let heard = 0
    const acceptor = new MultipathAcceptor({
      handler: (stream) => void stream.on('error', () => {}).on('data', (chunk: Buffer) => (heard += chunk.length)),
    })
    for (let run = 0; run < 50; run++) {
      const [near, far] = MemoryStream.pair()
      near.on('error', () => {}).resume()
      near.write(Buffer.concat([preambleOf(newStreamId()), Buffer.alloc(3, run), randomBytes(200)]))
      acceptor.handle(far, { backend: 'net' })
      await expect.poll(() => near.destroyed, { interval: 2 }).toBe(true)
    }
    expect(heard).toBe(0)
    acceptor.close()
  })

  it('a probe reaches no service', async () => {
    const seen: Duplex[] = []
    const acceptor = new MultipathAcceptor({ handler: (stream) => seen.push(stream) })
    const [near, far] = MemoryStream.pair()
    const probed = askFarEnd(near, { clock: systemClock, limitMs: 5_000 })
    acceptor.handle(far, { backend: 'net' })
    expect(await probed).toEqual({ ms: expect.any(Number), joins: true })
    expect(seen).toHaveLength(0)
  })

  it('a publisher without multipath is told from one with it', async () => {
    const [near, far] = MemoryStream.pair()
    far.on('error', () => {})
    far.end('HTTP/1.1 400 Bad Request')
    await expect(askFarEnd(near, { clock: systemClock, limitMs: 5_000 })).rejects.toMatchObject({ kind: 'unsupported' })
  })
})
