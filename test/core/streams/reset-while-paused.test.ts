import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { join } from '../../../core/streams/index.ts'

/** What `far` did to a socket while nobody read from it, as it looks through `join`. */
async function joinedAfter(far: (socket: Socket) => void): Promise<{ text: string; ended: boolean; errored: boolean }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, allowHalfOpen: true })
  const [[near]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown]
  far(socket.on('error', () => {}))
  await wait(30)
  const seen = { text: '', ended: false, errored: false }
  const other = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      seen.text += chunk.toString()
      done()
    },
    final(done) {
      seen.ended = true
      // The other direction ends too, so that everything closes.
      other.push(null)
      done()
    },
  })
  other.on('error', () => (seen.errored = true))
  const closed = once(other, 'close').catch(() => {})
  void join(near, other)
  await closed
  socket.destroy()
  server.close()
  return seen
}

it('takes a reset that comes while a socket is paused for a reset', async () => {
  const seen = await joinedAfter((socket) => socket.write('half an answer', () => setTimeout(() => socket.resetAndDestroy(), 5)))
  expect(seen).toEqual({ text: 'half an answer', ended: false, errored: true })
})

it('takes an end that comes while a socket is paused for an end', async () => {
  const seen = await joinedAfter((socket) => socket.end('an answer'))
  expect(seen).toEqual({ text: 'an answer', ended: true, errored: false })
})
