import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamEndings } from '../../../../backends/_shared/onion/socks/stream-endings.ts'
import { systemClock } from '../../../../core/index.ts'

const undo: Array<() => unknown> = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

/** A watched connection, the far end of it, and how the daemon's events call it. */
async function watched(): Promise<{
  endings: StreamEndings
  near: Socket
  far: Socket
  event: (status: string, reasons?: string) => void
}> {
  const server = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => new Promise((resolve) => server.close(resolve)))
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  await once(near, 'connect')
  const [far] = await accepted
  undo.push(() => [near, far].map((socket) => socket.on('error', () => {}).destroy()))
  const endings = new StreamEndings(systemClock)
  endings.watch(near)
  const event = (status: string, reasons = ''): void => endings.onEvent(`STREAM 12 ${status} 3 x.onion:80 ${reasons}`)
  event('NEW', `SOURCE_ADDR=127.0.0.1:${near.localPort ?? 0} PURPOSE=USER`)
  return { endings, near, far, event }
}

/** What a reader sees: the bytes, and whether they ended or were cut off. */
async function read(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = once(socket, 'end').then(() => 'end')
  const closed = once(socket, 'close').then(() => (socket.readableEnded ? 'end' : 'cut'))
  return `${await Promise.race([ended, closed])} ${text}`
}

describe('the end of a stream', () => {
  it.each([
    ['END of the far end', 'REASON=END REMOTE_REASON=DONE', 'end bye'],
    ['our own end', 'REASON=DONE', 'end bye'],
    ['a reset of the far end', 'REASON=END REMOTE_REASON=CONNRESET', 'cut bye'],
    ['a lost circuit', 'REASON=DESTROY', 'cut bye'],
  ])('by %s is what it is', async (_, reasons, expected) => {
    const { near, far, event } = await watched()
    const seen = read(near)
    far.end('bye')
    event('CLOSED', reasons)
    expect(await seen).toBe(expected)
  })

  it('waits for the event that comes after it', async () => {
    const { near, far, event } = await watched()
    const seen = read(near)
    far.end('bye')
    await once(near, 'data')
    event('SENTCONNECT')
    event('CLOSED', 'REASON=END REMOTE_REASON=CONNRESET')
    expect(await seen).toBe('cut bye')
  })

  it('is a break when the daemon is gone', async () => {
    const { near, far, endings } = await watched()
    const seen = read(near)
    far.end('bye')
    await once(near, 'data')
    endings.onLost()
    expect(await seen).toBe('cut bye')
  })

  it('is an end where the daemon tells no events', async () => {
    const server = createServer((socket) => socket.end('bye'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    undo.push(() => new Promise((resolve) => server.close(resolve)))
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(near, 'connect')
    new StreamEndings(systemClock).watch(near)
    expect(await read(near)).toBe('end bye')
  })

  it('is not disturbed by events of other streams, or by nonsense', () => {
    const endings = new StreamEndings(systemClock)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('NEW', 'CLOSED', 'x'), (text, status) => {
        endings.onEvent(text)
        endings.onEvent(`STREAM ${text} ${status} ${text}`)
      }),
    )
  })
})
