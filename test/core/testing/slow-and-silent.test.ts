import { once } from 'node:events'
import { expect, it } from 'vitest'
import { faulty, MemoryBackend, type Faults } from '../../../core/testing/index.ts'
import { ManualClock } from '../tunnels/puppet-backend.ts'

async function stage(faults: Faults, clock: ManualClock) {
  const backend = faulty(new MemoryBackend(), faults, clock)
  const { endpoints } = await backend.startTunnel(80, {
    onStream: (stream) => {
      stream.on('error', () => {})
      stream.pipe(stream)
    },
  })
  return { backend, address: endpoints[0]?.address ?? '' }
}

it('a slow network carries so many bytes in a second and direction', async () => {
  const clock = new ManualClock()
  const { backend, address } = await stage({ bytesPerSecond: 1_000 }, clock)
  const stream = await backend.dial(address)
  let bytes = 0
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
  for (let index = 0; index < 10; index++) stream.write(Buffer.alloc(500))
  // Both ends have a line of their own each way: the first chunk takes four halves of a second, the others follow.
  await clock.pass(2_000)
  expect(bytes).toBeLessThanOrEqual(500)
  await clock.pass(5_000)
  expect(bytes).toBe(5_000)
  await backend[Symbol.asyncDispose]()
})

it('a silent network holds streams and dials until it is mended', async () => {
  const clock = new ManualClock()
  const { backend, address } = await stage({}, clock)
  const stream = await backend.dial(address)
  const heard: string[] = []
  stream.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
  backend.faults.set({ silent: true })
  stream.write('held')
  let dialled = false
  const dial = backend.dial(address).then(() => (dialled = true))
  const aborted = backend.dial(address, { signal: AbortSignal.abort(new Error('enough')) })
  await expect(aborted).rejects.toThrow('enough')
  await clock.pass(5_000)
  expect(heard).toEqual([])
  expect(dialled).toBe(false)
  const data = once(stream, 'data')
  backend.faults.set({ silent: false })
  await clock.pass(500)
  await Promise.all([data, dial])
  expect(heard).toEqual(['held'])
  await backend[Symbol.asyncDispose]()
})
