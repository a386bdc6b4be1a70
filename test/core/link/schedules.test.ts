import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { connectForJoin, join, type LinkStream } from '../../../core/index.ts'
import { listenForPair, streamPair } from './pair.ts'
import { act, broken, schedule, schedulesOfSockets } from './schedule.ts'

const SETTINGS = { seed: 20_2611, numRuns: 30, endOnFailure: true }

it('keeps bytes, ends and resets apart on a link, whatever both ends do', async () => {
  await using pair = await listenForPair()
  const dialled = await pair.dial()
  const reset = (stream: Duplex): void => void stream.destroy(new Error('reset'))
  await fc.assert(
    fc.asyncProperty(schedule, schedule, async (nearSteps, farSteps) => {
      const { near, far } = await streamPair(pair, dialled)
      const [a, b] = await Promise.all([act(near, nearSteps, reset), act(far, farSteps, reset)])
      expect({ there: broken(a, b), back: broken(b, a), a, b }).toMatchObject({ there: undefined, back: undefined })
    }),
    SETTINGS,
  )
}, 120_000)

it('keeps bytes, ends and resets apart from socket to socket', async () => {
  const waiting: Array<(socket: Socket) => void> = []
  const service = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => waiting.shift()?.(socket))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  const { port } = service.address() as AddressInfo
  await using pair = await listenForPair({
    onStream: (stream: LinkStream) => void join(connectForJoin({ host: '127.0.0.1', port }), stream),
  })
  const { link } = await pair.dial()
  const front = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    void join(socket, link.openStream('service'))
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const reset = (stream: Duplex): void => void (stream as Socket).resetAndDestroy()
  await fc.assert(
    fc.asyncProperty(schedulesOfSockets, async ([visitorSteps, serviceSteps]) => {
      const arrival = new Promise<Socket>((resolve) => waiting.push(resolve))
      const visitor = connect({ host: '127.0.0.1', port: (front.address() as AddressInfo).port, allowHalfOpen: true, noDelay: true })
      await once(visitor, 'connect')
      const far = await arrival
      const [a, b] = await Promise.all([act(visitor, visitorSteps, reset), act(far, serviceSteps, reset)])
      expect({ there: broken(a, b), back: broken(b, a), a, b }).toMatchObject({ there: undefined, back: undefined })
    }),
    SETTINGS,
  )
  front.close()
  service.close()
}, 120_000)
