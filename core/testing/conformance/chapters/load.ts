import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { resetStream } from '../../../streams/index.ts'
import { readExactly, writeUntilStalled } from '../bytes.ts'
import type { Case } from '../case.ts'
import { deferred } from '../deferred.ts'
import { outcome } from '../outcome.ts'
import { echo } from '../service.ts'
import type { Stage } from '../stage.ts'

/** How long a writer has to stand still to count as held back, in milliseconds on loopback. */
const STALL_MS = 500
/** Streams that are opened together: what a browser and a few tools open at once. */
const BATCH = 20
/** Time of a case with hundreds of connections, in milliseconds on loopback. */
const LOAD_LIMIT_MS = 60_000

/** Many streams at once, and ones that nobody reads. */
export const load: readonly Case[] = [
  {
    id: 'parallel-streams',
    limitMs: LOAD_LIMIT_MS,
    async run(stage) {
      const { address } = await stage.tunnel(echo)
      // All are open before the first one is used, so that they are open at once and not one after the other.
      const streams = await Promise.all(Array.from({ length: stage.sizes.parallel }, () => stage.dial(address)))
      const answers = await Promise.all(
        streams.map(async (stream) => {
          const sent = randomBytes(1_024)
          stream.write(sent)
          return sent.equals(await readExactly(stream, sent.length))
        }),
      )
      assert.ok(answers.every(Boolean), 'a stream got bytes of another')
    },
  },
  {
    id: 'backpressure-to-visitor',
    limitMs: LOAD_LIMIT_MS,
    async run(stage) {
      const atService = deferred<Socket>()
      const { address } = await stage.tunnel((socket) => atService.resolve(socket))
      await stage.dial(address)
      assertHeldBack(stage, await writeUntilStalled(await atService.promise, stallOptions(stage)))
    },
  },
  {
    id: 'backpressure-to-service',
    limitMs: LOAD_LIMIT_MS,
    async run(stage) {
      const { address } = await stage.tunnel((socket) => void socket.pause())
      assertHeldBack(stage, await writeUntilStalled(await stage.dial(address), stallOptions(stage)))
    },
  },
  {
    id: 'stalled-readers',
    limitMs: LOAD_LIMIT_MS,
    async run(stage) {
      // The first byte says what the service shall do: 's' sends for ever, 'e' echoes.
      const { address } = await stage.tunnel((socket) => {
        socket.once('data', (first: Buffer) => {
          if (first[0] !== 's'.charCodeAt(0)) {
            socket.write(first)
            echo(socket)
            return
          }
          socket.pause()
          const flood = (): void => void (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024), (error) => error ?? flood()))
          flood()
        })
      })
      for (let opened = 0; opened < stage.sizes.stalled; opened += BATCH) {
        const batch = Math.min(BATCH, stage.sizes.stalled - opened)
        await Promise.all(Array.from({ length: batch }, async () => (await stage.dial(address)).write('s')))
      }
      const live = await stage.dial(address)
      live.write('echo')
      assert.equal((await stage.within(readExactly(live, 4), 10_000, 'The answer beside stalled streams')).toString(), 'echo')
    },
  },
  {
    id: 'resets-in-a-row',
    limitMs: LOAD_LIMIT_MS,
    async run(stage) {
      const { address } = await stage.tunnel(echo)
      const visitor = await stage.visitor()
      for (let count = 0; count < stage.sizes.resets; count += 1) {
        const dialled = await outcome(() => visitor.dial(address, { signal: stage.signal }))
        if (!dialled.ok) assert.fail(`dial ${count + 1} failed: ${String(dialled.error)}`)
        dialled.value.on('error', () => {})
        dialled.value.write('x')
        resetStream(dialled.value, new Error('the visitor broke off'))
        // Lets the reset go out: without this turn all of them would leave at once.
        await new Promise((resolve) => setImmediate(resolve))
      }
      const stream = await stage.dial(address)
      stream.write('ping')
      assert.equal((await stage.within(readExactly(stream, 4), 10_000, 'The answer after many resets')).toString(), 'ping')
    },
  },
]

function stallOptions(stage: Stage): { readonly most: number; readonly stallMs: number } {
  return { most: stage.sizes.maxBufferedBytes + 1024 * 1024, stallMs: stage.ms(STALL_MS) }
}

function assertHeldBack(stage: Stage, taken: number): void {
  const { maxBufferedBytes } = stage.sizes
  assert.ok(taken <= maxBufferedBytes, `more than ${maxBufferedBytes} bytes went to a reader that does not read`)
}
