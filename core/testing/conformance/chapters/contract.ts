import assert from 'node:assert/strict'
import type { NetworkBackend, TunnelEvent } from '../../../backend.ts'
import { isBeamError } from '../../../errors.ts'
import { ending, readExactly } from '../bytes.ts'
import type { Case } from '../case.ts'
import { assertReason, newReason, outcome } from '../outcome.ts'
import { ResourceTracker } from '../resources.ts'
import { echo } from '../service.ts'
import type { Stage } from '../stage.ts'

/** How long getStatus may take: the contract's own figure, which slow networks have to keep, too. */
const STATUS_LIMIT_MS = 1_000

/** The shape of the calls: what they accept, return and refuse. */
export const contract: readonly Case[] = [
  {
    id: 'capabilities-constant',
    async run(stage) {
      const backend = await stage.fresh()
      const first = structuredClone(backend.getCapabilities())
      await backend.initialize({ signal: stage.signal })
      assert.deepEqual(backend.getCapabilities(), first, 'they changed with initialize')
      const service = await stage.service(echo)
      await backend.startTunnel(service.port, { signal: stage.signal })
      assert.deepEqual(backend.getCapabilities(), first, 'they changed with the first tunnel')
      await backend[Symbol.asyncDispose]()
      assert.deepEqual(backend.getCapabilities(), first, 'they changed with disposal')
    },
  },
  {
    id: 'capabilities-no-io',
    async run(stage) {
      const backend = await stage.fresh()
      const tracker = new ResourceTracker()
      try {
        tracker.run(() => backend.getCapabilities())
        // What it set going would open in one of the next turns.
        await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual(tracker.touchedNetwork(), [], 'getCapabilities() opened something')
      } finally {
        tracker.stop()
      }
    },
  },
  { id: 'status-never-rejects', run: (stage) => inEveryState(stage, async (backend) => void (await backend.getStatus())) },
  {
    id: 'status-prompt',
    run: (stage) =>
      inEveryState(stage, async (backend) => {
        const start = performance.now()
        await outcome(() => backend.getStatus())
        const tookMs = performance.now() - start
        assert.ok(tookMs <= STATUS_LIMIT_MS, `getStatus took ${Math.round(tookMs)} ms`)
      }),
  },
  {
    id: 'status-tunnels',
    async run(stage) {
      const backend = await stage.publisher()
      const service = await stage.service(echo)
      const [a, b] = [await stage.publish(service.port), await stage.publish(service.port)]
      const listed = async (): Promise<string[]> => (await backend.getStatus()).tunnels.map(({ id }) => id)
      const both = await listed()
      assert.ok(both.includes(a.id) && both.includes(b.id), 'a running tunnel is not listed')
      await backend.stopTunnel(a.id)
      const rest = await listed()
      assert.ok(!rest.includes(a.id), 'a stopped tunnel is listed')
      assert.ok(rest.includes(b.id), 'stopping one tunnel removed another')
    },
  },
  {
    id: 'stop-twice',
    async run(stage) {
      const backend = await stage.publisher()
      const { id } = await stage.publish((await stage.service(echo)).port)
      await backend.stopTunnel(id)
      await backend.stopTunnel(id)
    },
  },
  {
    id: 'stop-unknown',
    async run(stage) {
      await (await stage.publisher()).stopTunnel('there-is-no-such-tunnel')
    },
  },
  {
    id: 'stop-ends-tunnel',
    async run(stage) {
      const { info, address, service } = await stage.tunnel(echo)
      const stream = await stage.dial(address)
      stream.write('ping')
      await readExactly(stream, 4)
      await (await stage.publisher()).stopTunnel(info.id)
      await stage.within(ending(stream), 5_000, 'The end of an open stream after stopTunnel')

      const before = service.connections
      const again = await outcome(() => stage.dial(address, { signal: AbortSignal.timeout(stage.ms(5_000)) }))
      if (again.ok) {
        again.value.write('ping')
        await assert.rejects(
          stage.within(readExactly(again.value, 4), 5_000, 'The answer of a stopped tunnel'),
          'a stopped tunnel still answers',
        )
      }
      assert.equal(service.connections, before, 'a stopped tunnel still reaches the service')
    },
  },
  {
    id: 'id-unique',
    async run(stage) {
      const { port } = await stage.service(echo)
      const ids = [await stage.publish(port), await stage.publish(port), await stage.publish(port)].map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length, `the ids are ${ids.join(', ')}`)
    },
  },
  {
    id: 'id-kept',
    async run(stage) {
      const { id } = await stage.publish((await stage.service(echo)).port, { id: 'conformance-kept' })
      assert.equal(id, 'conformance-kept')
    },
  },
  {
    id: 'id-taken',
    async run(stage) {
      const { port } = await stage.service(echo)
      await stage.publish(port, { id: 'conformance-one' })
      const second = await outcome(() => stage.publish(port, { id: 'conformance-one' }))
      assert.equal(second.ok, false, 'two tunnels have one id')
      const { tunnels } = await (await stage.publisher()).getStatus()
      assert.ok(
        tunnels.some(({ id }) => id === 'conformance-one'),
        'the tunnel that had the id is gone',
      )
    },
  },
  {
    id: 'port-invalid',
    async run(stage) {
      for (const port of [0, -1, 65_536, 80.5, Number.NaN]) {
        const result = await outcome(() => stage.publish(port))
        assert.ok(
          !result.ok && isBeamError(result.error) && result.error.kind === 'config',
          `port ${port} was not refused with a ConfigError`,
        )
      }
    },
  },
  {
    id: 'start-abort-before',
    async run(stage) {
      const reason = newReason()
      const { port } = await stage.service(echo)
      assertReason(
        await stage.within(
          outcome(() => stage.publish(port, { signal: AbortSignal.abort(reason) })),
          2_000,
          'startTunnel',
        ),
        reason,
      )
    },
  },
  {
    id: 'start-abort-during',
    async run(stage) {
      const reason = newReason()
      const { port } = await stage.service(echo)
      const controller = new AbortController()
      const starting = outcome(() => stage.publish(port, { signal: controller.signal, id: 'conformance-aborted' }))
      // `publish` has to get to startTunnel first; a network that is faster than this turn has started, and that is fine, too.
      await stage.publisher()
      controller.abort(reason)
      const result = await stage.within(starting, 5_000, 'startTunnel after its signal fired')
      if (result.ok) return
      assertReason(result, reason)
      const { tunnels } = await (await stage.publisher()).getStatus()
      assert.ok(!tunnels.some(({ id }) => id === 'conformance-aborted'), 'an aborted tunnel is listed')
    },
  },
  {
    id: 'address-event',
    async run(stage) {
      const told = new Set<string>()
      const onEvent = (event: TunnelEvent): void => void (event.type === 'address' && told.add(event.address))
      const { endpoints } = await stage.publish((await stage.service(echo)).port, { onEvent })
      for (const { address } of endpoints) assert.ok(told.has(address), `no event told ${address}`)
    },
  },
  {
    id: 'endpoint-dialable',
    async run(stage) {
      const visitor = await stage.visitor()
      const { info } = await stage.tunnel(echo)
      assert.ok(info.endpoints.length > 0, 'the tunnel has no endpoint')
      for (const { address } of info.endpoints) {
        assert.ok(visitor.canDial(address), `canDial says no to ${address}`)
        const stream = await stage.dial(address)
        stream.write('ping')
        assert.equal((await readExactly(stream, 4)).toString(), 'ping')
      }
    },
  },
  {
    id: 'can-dial',
    async run(stage) {
      const visitor = await stage.visitor()
      for (const text of ['', 'no address', 'unknown-network://x', 'localhost', '\u0000']) {
        assert.equal(visitor.canDial(text), false, `canDial says yes to ${JSON.stringify(text)}`)
      }
    },
  },
  {
    id: 'reach-path',
    async run(stage) {
      const { address } = await stage.tunnel(echo)
      const visitor = await stage.visitor()
      const path = await visitor.reach(address, { signal: stage.signal })
      assert.equal(path.backend, visitor.name)
      assert.ok(path.kind !== '', 'the path has no kind')
      assert.ok(Number.isInteger(path.hops) && path.hops >= 0, `the path has ${path.hops} hops`)
    },
  },
  {
    id: 'dial-abort-before',
    async run(stage) {
      const reason = newReason()
      const { address } = await stage.tunnel(echo)
      assertReason(
        await stage.within(
          outcome(() => stage.dial(address, { signal: AbortSignal.abort(reason) })),
          2_000,
          'dial',
        ),
        reason,
      )
    },
  },
  {
    id: 'dial-abort-during',
    async run(stage) {
      const reason = newReason()
      const { address } = await stage.tunnel(echo)
      const visitor = await stage.visitor()
      const controller = new AbortController()
      const dialling = outcome(() => visitor.dial(address, { signal: controller.signal }))
      controller.abort(reason)
      const result = await stage.within(dialling, 5_000, 'dial after its signal fired')
      if (!result.ok) assertReason(result, reason)
      else result.value.on('error', () => {}).destroy()
    },
  },
]

/** Does something with a backend that is new, running, publishing and disposed of. */
async function inEveryState(stage: Stage, act: (backend: NetworkBackend) => Promise<void>): Promise<void> {
  const backend = await stage.fresh()
  await act(backend)
  await backend.initialize({ signal: stage.signal })
  await act(backend)
  await backend.startTunnel((await stage.service(echo)).port, { signal: stage.signal })
  await act(backend)
  await backend[Symbol.asyncDispose]()
  await act(backend)
}
