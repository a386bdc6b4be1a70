import { performServerHandshake } from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { HEAVY_STREAM_BYTES, MAX_LINK_PIPES } from '../../../core/link/constants.ts'
import type { DialledLink } from '../../../core/link/index.ts'
import { frame, rawPublisher } from './raw-publisher.ts'

/** An empty SETTINGS frame: the first word of a session. */
const SETTINGS = frame(4, 0, 0)

it.each([
  ['settings of a wrong size', frame(4, 0, 0, Buffer.alloc(5))],
  ['data for no stream', frame(0, 0, 0, Buffer.alloc(8))],
  ['a window of nothing', frame(8, 0, 0, Buffer.alloc(4))],
  ['acknowledgements of nothing', Buffer.concat([frame(4, 1, 0), frame(4, 1, 0), frame(4, 1, 0)])],
  ['headers of nobody', frame(1, 4, 2, Buffer.from([0x88]))],
  ['a pushed stream', frame(5, 4, 1, Buffer.from([0, 0, 0, 2, 0x82]))],
  ['a farewell', frame(7, 0, 0, Buffer.alloc(8))],
  ['a farewell with an error', frame(7, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 11]))],
  ['noise', Buffer.alloc(4096, 0xfe)],
])('survives a session that goes on with %s, at once or a moment later', async (_name, bytes) => {
  for (const laterMs of [0, 1, 30]) {
    await using publisher = await rawPublisher((tls) => {
      tls.resume()
      if (laterMs === 0) tls.write(Buffer.concat([SETTINGS, bytes]))
      else {
        tls.write(SETTINGS)
        setTimeout(() => tls.write(bytes), laterMs)
      }
    })
    const dialled = await publisher.dial().catch((error: unknown) => error as Error)
    if (dialled instanceof Error) expect(dialled).toMatchObject({ code: 'BEAM_ERR_PEER_UNREACHABLE' })
    await wait(50)
    if (!(dialled instanceof Error)) (dialled as DialledLink).link.close()
  }
})

it('gives up a record that begins and does not end', async () => {
  await using publisher = await rawPublisher((tls) => {
    const session = performServerHandshake(tls)
    session.on('error', () => {})
    session.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.respond({ ':status': 200 })
      stream.write('begun')
    })
  })
  const { link } = await publisher.dial()
  await expect(link.fetchRecord(AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(link.usable).toBe(true)
  link.close()
})

it('opens a bounded number of side channels at once, and gives them up with the link', async () => {
  let silent = 0
  const sockets = new Set<Socket>()
  await using publisher = await rawPublisher((tls) => {
    const session = performServerHandshake(tls, { settings: { initialWindowSize: 8 << 20, maxConcurrentStreams: 200 } })
    session.setLocalWindowSize(2 ** 31 - 1)
    session.on('error', () => {})
    session.on('stream', (stream) => {
      stream.on('error', () => {}).resume()
      stream.respond({ ':status': 200 })
    })
  })
  // What answers for side channels takes the connection and says nothing.
  const { link } = await publisher.dial((socket, count) => {
    if (count === 1) return false
    silent++
    sockets.add(socket.on('error', () => {}).resume())
    return true
  })
  const streams = Array.from({ length: 80 }, () => link.openStream('service'))
  for (const stream of streams) stream.on('error', () => {}).write(Buffer.alloc(HEAVY_STREAM_BYTES))
  await expect.poll(() => silent, { timeout: 10_000 }).toBe(MAX_LINK_PIPES)
  await wait(100)
  expect(silent).toBe(MAX_LINK_PIPES)
  link.close()
  await expect.poll(() => [...sockets].every((socket) => socket.destroyed), { timeout: 10_000 }).toBe(true)
})
