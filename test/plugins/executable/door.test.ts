import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { join, systemClock, type Clock, type Visitor } from '../../../core/index.ts'
import { StreamDoor } from '../../../plugins/executable/door.ts'
import { MAX_TOKEN_LINE_BYTES, MAX_UNPROVEN_STREAMS, TOKEN_TIMEOUT_MS } from '../../../plugins/executable/limits.ts'

const doors: StreamDoor[] = []
const admitted: Array<{ readonly stream: Socket; readonly visitor: Visitor }> = []

async function openDoor(clock: Clock = systemClock): Promise<StreamDoor> {
  const door = await StreamDoor.open({ backend: 'x', clock, onStream: (stream, visitor) => admitted.push({ stream, visitor }) })
  doors.push(door)
  return door
}

afterEach(async () => {
  admitted.length = 0
  for (const door of doors.splice(0)) await door.close()
})

/** What became of a connection that says this. */
async function say(door: StreamDoor, words: string | Buffer): Promise<'refused' | 'waiting'> {
  const socket = connect({ host: '127.0.0.1', port: door.target.port })
  socket.on('error', () => {})
  socket.write(words)
  const refused = new Promise<'refused'>((resolve) => socket.once('close', () => resolve('refused')))
  const outcome = await Promise.race([refused, new Promise<'waiting'>((resolve) => setTimeout(() => resolve('waiting'), 150))])
  socket.destroy()
  return outcome
}

describe('StreamDoor', () => {
  it('takes the token off, however it is cut, and passes on what follows as on a fresh stream', async () => {
    const door = await openDoor()
    const socket = connect({ host: '127.0.0.1', port: door.target.port, noDelay: true }).on('error', () => {})
    const line = `${door.target.token} {"key":"k"}\r\nfirst`
    for (const piece of [line.slice(0, 5), line.slice(5, 20), line.slice(20)]) {
      socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    socket.end(' second')
    await expect.poll(() => admitted.length).toBe(1)
    const { stream, visitor } = admitted[0]!
    expect(visitor).toEqual({ backend: 'x', key: 'k' })
    let got = ''
    stream.on('data', (chunk: Buffer) => (got += chunk))
    await once(stream, 'end')
    expect(got).toBe('first second')
    expect(door.figures).toMatchObject({ bytesIn: 12, totalStreams: 1 })
  })

  it('admits a stream whose token and end came at once; joined later, it ends the other side', async () => {
    const door = await openDoor()
    connect({ host: '127.0.0.1', port: door.target.port })
      .on('error', () => {})
      .end(`${door.target.token}\n`)
    await expect.poll(() => admitted.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const ended = new Promise<void>((resolve) => {
      const other = new Duplex({
        read() {},
        final(done) {
          resolve()
          done()
        },
      })
      void join(admitted[0]!.stream, other)
    })
    await ended
  })

  it.each([
    ['another token', () => `${'x'.repeat(43)}\n`],
    ['a beginning of the token', (token: string) => `${token.slice(0, 20)}\n`],
    ['an empty line', () => '\n'],
    ['a visitor that is not JSON', (token: string) => `${token} {\n`],
    ['a line without end', () => 'x'.repeat(MAX_TOKEN_LINE_BYTES + 1)],
  ])('refuses %s', async (_what, words) => {
    const door = await openDoor()
    expect(await say(door, words(door.target.token))).toBe('refused')
    expect(admitted).toEqual([])
  })

  it('does not wait for a token for ever, nor for more than so many at once', async () => {
    const clock: Clock = { ...systemClock, after: (ms, fn, options) => systemClock.after(ms === TOKEN_TIMEOUT_MS ? 400 : ms, fn, options) }
    const door = await openDoor(clock)
    const silent = Array.from({ length: MAX_UNPROVEN_STREAMS }, () =>
      connect({ host: '127.0.0.1', port: door.target.port }).on('error', () => {}),
    )
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    expect(await say(door, `${door.target.token}\n`)).toBe('refused')
    await Promise.all(silent.map(async (socket) => socket.closed || (await new Promise((resolve) => socket.once('close', resolve)))))
    expect(await say(door, `${door.target.token}\n`)).toBe('waiting')
    expect(admitted.length).toBe(1)
  })

  it('resets what came through it when it is closed', async () => {
    const door = await openDoor()
    const socket = connect({ host: '127.0.0.1', port: door.target.port })
    const failure = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve))
    socket.resume().write(`${door.target.token}\n`)
    await expect.poll(() => admitted.length).toBe(1)
    admitted[0]?.stream.on('error', () => {})
    await door.close()
    expect((await failure).code).toBe('ECONNRESET')
  })
})
