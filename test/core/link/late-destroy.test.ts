import { expect, it, vi } from 'vitest'
import type { LinkStream } from '../../../core/link/index.ts'
import { listenForPair } from './pair.ts'
import { frame, rawPublisher } from './raw-publisher.ts'
import { rawTls } from './raw-visitor.ts'

const SETTINGS = frame(4, 0, 0)
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), SETTINGS])
const FAREWELL_WITH_ERROR = frame(7, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]))
const GRANTED = Buffer.from([0x88])
/** Headers in the form of RFC 7541 section 6.2.1: CONNECT, and an authority. */
const CONNECT = Buffer.concat([Buffer.from([0x42, 7]), Buffer.from('CONNECT'), Buffer.from([0x41, 7]), Buffer.from('service')])

const headers = (id: number, block = CONNECT): Buffer => frame(1, 4, id, block)
const data = (id: number): Buffer => frame(0, 0, id, Buffer.alloc(500))

// Where Node is not held back, it ends the whole process, which is seen as a file that did not come to its end.
it.each([
  ['opens a stream behind it', [FAREWELL_WITH_ERROR, headers(1), data(1)]],
  ['goes on with a stream, and opens another', [headers(1), data(1), FAREWELL_WITH_ERROR, data(1), headers(3), data(3)]],
])('survives a visitor who says farewell with an error and, in the same piece, %s', async (_name, frames) => {
  await using pair = await listenForPair()
  const tls = await rawTls(pair.port, undefined, ['h2'])
  const closed = new Promise((resolve) => tls.once('close', resolve))
  tls.resume()
  tls.write(Buffer.concat([PREFACE, ...frames]))
  await closed
  await vi.waitFor(() => expect(pair.listener.links).toEqual([]))
  const { link } = await pair.dial()
  await link.hello()
})

it('breaks its link off while more streams with data are in the same piece', async () => {
  const arrived: LinkStream[] = []
  await using pair = await listenForPair({
    onStream: (stream, link) => {
      arrived.push(stream)
      link.close({ reason: 'enough' })
      expect(link.usable).toBe(false)
    },
  })
  const tls = await rawTls(pair.port, undefined, ['h2'])
  const closed = new Promise((resolve) => tls.once('close', resolve))
  tls.resume()
  tls.write(Buffer.concat([PREFACE, headers(1), data(1), headers(3), data(3), headers(5), data(5)]))
  await closed
  await vi.waitFor(() => expect(pair.listener.links).toEqual([]))
  expect(arrived.map((stream) => stream.destroyed)).not.toContain(false)
})

it('survives a publisher who says farewell with an error and goes on with a stream in the same piece', async () => {
  await using publisher = await rawPublisher((tls) => {
    tls.write(SETTINGS)
    tls.once('data', () => tls.once('data', () => tls.write(Buffer.concat([headers(1, GRANTED), data(1), FAREWELL_WITH_ERROR, data(1)]))))
  })
  const { link } = await publisher.dial()
  const closed = new Promise((resolve) => link.onClose(resolve))
  const stream = link.openStream('service')
  const broken = new Promise<unknown>((resolve) => stream.once('error', resolve))
  stream.write('hello')
  await closed
  expect(await broken).toMatchObject({ code: 'BEAM_ERR_STREAM_RESET' })
})

it('still says farewell when the publisher stops', async () => {
  await using pair = await listenForPair({ onStream: (stream) => stream.accept() })
  const { link } = await pair.dial()
  await link.hello()
  const reason = new Promise((resolve) => link.onClose(resolve))
  await pair.listener[Symbol.asyncDispose]()
  expect(await reason).toBe('the far end ended the session')
})
