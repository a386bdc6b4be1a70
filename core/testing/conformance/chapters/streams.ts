import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Visitor } from '../../../backend.ts'
import { sleep } from '../../../clock.ts'
import { resetStream } from '../../../streams/index.ts'
import { ending, patternChunks, patternDigest, readExactly, receive, sendAll, type Ending, type Received } from '../bytes.ts'
import type { Case } from '../case.ts'
import { deferred } from '../deferred.ts'
import { outcome } from '../outcome.ts'
import { echo, unusedPort } from '../service.ts'
import type { Stage } from '../stage.ts'

/** How long one end may take to hear of the other's, in milliseconds on loopback. */
const ENDING_LIMIT_MS = 5_000
/** Time for one bulk transfer with a slow reader, in milliseconds on loopback. */
const BULK_LIMIT_MS = 30_000
/** What flows after a half-close, at most: more than the windows of most links, so that it cannot arrive by buffering alone. */
const HALF_CLOSE_BYTES = 2 * 1024 * 1024
/** How often a service that has come back is tried. */
const RETRY_MS = 100

/** What a byte stream through a tunnel has to keep. */
export const streams: readonly Case[] = [
  {
    id: 'echo',
    async run(stage) {
      const { address } = await stage.tunnel(echo)
      const stream = await stage.dial(address)
      stream.write('ping')
      assert.equal((await stage.within(readExactly(stream, 4), ENDING_LIMIT_MS, 'The answer')).toString(), 'ping')
    },
  },
  {
    id: 'on-stream',
    async run(stage) {
      const visitors: Visitor[] = []
      const onStream = (stream: Duplex, visitor: Visitor): void => {
        visitors.push(visitor)
        stream.on('error', () => {})
        stream.pipe(stream)
      }
      const { address, service } = await stage.tunnel(echo, { onStream })
      const stream = await stage.dial(address)
      stream.write('ping')
      assert.equal((await stage.within(readExactly(stream, 4), ENDING_LIMIT_MS, 'The answer')).toString(), 'ping')
      assert.equal(visitors.length, 1, 'onStream was not called once')
      assert.equal(visitors[0]?.backend, (await stage.publisher()).name, 'the visitor has another backend')
      assert.equal(service.connections, 0, 'the local port was used all the same')
    },
  },
  {
    id: 'bytes-to-visitor',
    limitMs: BULK_LIMIT_MS,
    async run(stage) {
      const { bulkBytes } = stage.sizes
      const { address } = await stage.tunnel((socket) => void outcome(() => sendAll(socket, patternChunks(bulkBytes), { end: true })))
      assertExact(await receive(await stage.dial(address), { slow: true }), bulkBytes)
    },
  },
  {
    id: 'bytes-to-service',
    limitMs: BULK_LIMIT_MS,
    async run(stage) {
      const { bulkBytes } = stage.sizes
      const arrived = deferred<Received>()
      const { address } = await stage.tunnel((socket) => arrived.resolve(receive(socket, { slow: true })))
      const stream = await stage.dial(address)
      await outcome(() => sendAll(stream, patternChunks(bulkBytes), { end: true }))
      assertExact(await arrived.promise, bulkBytes)
    },
  },
  {
    id: 'half-close-visitor',
    async run(stage) {
      const bytes = halfCloseBytes(stage)
      // The service sends only when it has read the visitor's end.
      const { address } = await stage.tunnel(async (socket) => {
        if ((await ending(socket)) === 'end') await outcome(() => sendAll(socket, patternChunks(bytes), { end: true }))
      })
      const stream = await stage.dial(address)
      stream.end('request')
      assertExact(await receive(stream), bytes)
    },
  },
  {
    id: 'half-close-service',
    async run(stage) {
      const bytes = halfCloseBytes(stage)
      // The service reads all the time, and ends its own direction at once.
      const arrived = deferred<Received>()
      const { address } = await stage.tunnel((socket) => {
        arrived.resolve(receive(socket))
        socket.end('greeting')
      })
      const stream = await stage.dial(address)
      const greeting = await receive(stream)
      assert.deepEqual([greeting.bytes, greeting.ending], ['greeting'.length, 'end'], 'the service’s end did not arrive')
      await outcome(() => sendAll(stream, patternChunks(bytes), { end: true }))
      assertExact(await arrived.promise, bytes)
    },
  },
  {
    id: 'half-close-untouched',
    async run(stage) {
      const bytes = halfCloseBytes(stage)
      // Nobody reads at the service when its end goes out: not a byte of what the visitor sends afterwards may be lost.
      const atService = deferred<Socket>()
      const { address } = await stage.tunnel((socket) => {
        socket.pause()
        socket.end()
        atService.resolve(socket)
      })
      const stream = await stage.dial(address)
      assert.equal(await ending(stream), 'end', 'the service’s end arrived as a reset')
      const sending = outcome(() => sendAll(stream, patternChunks(bytes), { end: true }))
      assertExact(await receive(await atService.promise), bytes)
      await sending
    },
  },
  {
    id: 'reset-from-service',
    async run(stage) {
      const { address } = await stage.tunnel(
        (socket) => void socket.once('data', (data) => socket.write(data, () => setTimeout(() => socket.resetAndDestroy(), 20))),
      )
      const stream = await stage.dial(address)
      const end = afterEcho(stage, stream)
      assert.equal(await end, 'reset', 'the reset arrived as an end')
    },
  },
  {
    id: 'reset-from-visitor',
    async run(stage) {
      const atService = deferred<Ending>()
      const { address } = await stage.tunnel((socket) => {
        socket.on('data', (data) => socket.write(data))
        atService.resolve(ending(socket))
      })
      const stream = await stage.dial(address)
      stream.write('ping')
      await readExactly(stream, 4)
      resetStream(stream, new Error('the visitor broke off'))
      assert.equal(
        await stage.within(atService.promise, ENDING_LIMIT_MS, 'The reset at the service'),
        'reset',
        'the reset arrived as an end',
      )
    },
  },
  {
    id: 'service-absent',
    limitMs: 30_000,
    async run(stage) {
      await stage.visitor()
      const port = await unusedPort()
      const { id, endpoints } = await stage.publish(port)
      const address = endpoints[0]?.address ?? assert.fail('the tunnel has no endpoint')
      const attempt = await outcome(() => stage.dial(address))
      if (attempt.ok) {
        const end = await stage.within(ending(attempt.value), ENDING_LIMIT_MS * 2, 'The reset of a stream without a service')
        assert.equal(end, 'reset', 'a missing service looks like one that closes properly')
      }
      await stage.service(echo, port)
      await stage.within(untilEchoed(stage, address), ENDING_LIMIT_MS * 2, 'The service that came back')
      assert.ok(
        (await (await stage.publisher()).getStatus()).tunnels.some((tunnel) => tunnel.id === id),
        'the tunnel is gone',
      )
    },
  },
  {
    id: 'isolation',
    async run(stage) {
      const { fixture } = stage
      if (fixture.linkable === undefined)
        return stage.skip('whether two streams can be linked shows inside the network only, and the fixture has no view of it')
      const { address } = await stage.tunnel(echo)
      const [a, b] = [await stage.dial(address, { isolation: 'a' }), await stage.dial(address, { isolation: 'b' })]
      assert.equal(await fixture.linkable(a, b), false, 'the network can link the two streams')
    },
  },
]

function halfCloseBytes({ sizes }: Stage): number {
  return Math.min(HALF_CLOSE_BYTES, sizes.bulkBytes)
}

/** Asserts that the whole pattern arrived, and that it ended properly. */
function assertExact(received: Received, bytes: number): void {
  assert.equal(received.ending, 'end', `it broke off after ${received.bytes} of ${bytes} bytes`)
  assert.equal(received.bytes, bytes, 'bytes are missing or too many')
  assert.equal(received.sha256, patternDigest(bytes), 'the bytes were changed')
}

async function afterEcho(stage: Stage, stream: Duplex): Promise<Ending> {
  stream.write('ping')
  await readExactly(stream, 4)
  return stage.within(ending(stream), ENDING_LIMIT_MS, 'The reset at the visitor')
}

async function untilEchoed(stage: Stage, address: string): Promise<void> {
  for (;;) {
    const answered = await outcome(async () => {
      const stream = await stage.dial(address)
      stream.write('ping')
      await readExactly(stream, 4)
    })
    if (answered.ok) return
    await sleep(stage.ms(RETRY_MS), { signal: stage.signal })
  }
}
