import assert from 'node:assert/strict'
import type { NetworkBackend } from '../../../backend.ts'
import { isDialler } from '../../../powers.ts'
import { sleep } from '../../../clock.ts'
import { ending, readExactly } from '../bytes.ts'
import type { Case } from '../case.ts'
import { assertReason, newReason, outcome } from '../outcome.ts'
import { ResourceTracker } from '../resources.ts'
import { echo, TestService } from '../service.ts'
import type { Stage } from '../stage.ts'

/** How long closed sockets and timers may take to be gone, in milliseconds. */
const CLOSING_GRACE_MS = 2_000
/** What a constructor set going would open by then, in milliseconds. */
const SETTING_GOING_MS = 20

/** Making, bringing up and disposing of a backend. */
export const lifecycle: readonly Case[] = [
  {
    id: 'constructor-no-io',
    async run(stage) {
      await tracked(async (tracker) => {
        await tracker.run(() => stage.fresh())
        await sleep(SETTING_GOING_MS)
        assert.deepEqual(tracker.touchedNetwork(), [], 'create() opened something')
      })
    },
  },
  {
    id: 'initialize-twice',
    async run(stage) {
      const backend = await stage.fresh()
      await backend.initialize({ signal: stage.signal })
      await backend.initialize({ signal: stage.signal })
      assertUsable((await backend.getStatus()).state)
    },
  },
  {
    id: 'initialize-abort',
    async run(stage) {
      const reason = newReason()
      const early = await stage.fresh()
      const refused = await stage.within(
        outcome(() => early.initialize({ signal: AbortSignal.abort(reason) })),
        2_000,
        'initialize with a fired signal',
      )
      assertReason(refused, reason)

      const late = await stage.fresh()
      const controller = new AbortController()
      const starting = outcome(() => late.initialize({ signal: controller.signal }))
      controller.abort(reason)
      const result = await stage.within(starting, 5_000, 'initialize after its signal fired')
      if (!result.ok) assertReason(result, reason)
    },
  },
  {
    id: 'dispose-twice',
    async run(stage) {
      const backend = await stage.fresh()
      await backend.initialize({ signal: stage.signal })
      await backend[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  },
  {
    id: 'dispose-idle',
    async run(stage) {
      const backend = await stage.fresh()
      await backend[Symbol.asyncDispose]()
    },
  },
  {
    id: 'dispose-leaves-nothing',
    limitMs: 20_000,
    async run(stage) {
      await tracked(async (tracker) => {
        await tracker.run(() => useAndDispose(stage))
        assert.deepEqual(await tracker.settled([], stage.ms(CLOSING_GRACE_MS)), [], 'left open after disposal')
      })
    },
  },
  {
    id: 'start-failure-leaves-nothing',
    limitMs: 20_000,
    async run(stage) {
      await tracked(async (tracker) => {
        const service = await stage.service(echo)
        const backend = await tracker.run(() => stage.fresh())
        await tracker.run(() => backend.initialize({ signal: stage.signal }))
        // The first tunnel may bring up what all tunnels share, and that may stay.
        await tracker.run(async () => backend.stopTunnel((await backend.startTunnel(service.port, { signal: stage.signal })).id))
        const before = tracker.open()

        await tracker.run(() => failToStart(backend, service.port))
        assert.deepEqual((await backend.getStatus()).tunnels, [], 'a tunnel that failed to start is listed')
        assert.deepEqual(await tracker.settled(before, stage.ms(CLOSING_GRACE_MS)), [], 'left open after a failed start')
      })
    },
  },
]

async function tracked(body: (tracker: ResourceTracker) => Promise<void>): Promise<void> {
  const tracker = new ResourceTracker()
  try {
    await body(tracker)
  } finally {
    tracker.stop()
  }
}

function assertUsable(state: string): void {
  assert.ok(state === 'running' || state === 'degraded' || state === 'starting' || state === 'idle', `the state is ${state}`)
}

/** Everything a backend is used for, with a stream left open. */
async function useAndDispose(stage: Stage): Promise<void> {
  const { fixture, signal } = stage
  const service = await TestService.tcp(echo)
  const publisher = await stage.fresh()
  const visitor = fixture.pair === undefined ? publisher : await stage.fresh(() => fixture.pair?.() ?? publisher)
  await publisher.initialize({ signal })
  if (visitor !== publisher) await visitor.initialize({ signal })
  const { endpoints } = await publisher.startTunnel(service.port, { signal })
  const address = endpoints[0]?.address
  const stream = isDialler(visitor) && address !== undefined ? await visitor.dial(address, { signal }) : undefined
  if (stream !== undefined) {
    stream.write('ping')
    await readExactly(stream, 4)
  }
  await visitor[Symbol.asyncDispose]()
  if (visitor !== publisher) await publisher[Symbol.asyncDispose]()
  if (stream !== undefined) await stage.within(ending(stream), CLOSING_GRACE_MS, 'The end of an open stream after disposal')
  await service.close()
}

/** Starts that fail: a fired signal, a signal that fires at once, a port that is none, an id in use. */
async function failToStart(backend: NetworkBackend, port: number): Promise<void> {
  const reason = newReason()
  await outcome(() => backend.startTunnel(port, { signal: AbortSignal.abort(reason) }))
  await outcome(() => backend.startTunnel(0))
  const controller = new AbortController()
  const starting = outcome(() => backend.startTunnel(port, { signal: controller.signal }))
  controller.abort(reason)
  const started = await starting
  if (started.ok) await backend.stopTunnel(started.value.id)
  const first = await backend.startTunnel(port, { id: 'conformance-taken' })
  await outcome(() => backend.startTunnel(port, { id: 'conformance-taken' }))
  await backend.stopTunnel(first.id)
}
