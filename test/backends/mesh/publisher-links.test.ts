import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { formatBeamAddress, type LinkStream } from '../../../core/index.ts'
import { listenForPair } from '../../core/link/pair.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'

it('replaces a link that the far end destroys, at once and again and again, also under load', async () => {
  await using paths = await testPaths()
  await using visitor = await testMesh(paths)
  await using pair = await listenForPair({ onStream: (stream: LinkStream) => void stream.pipe(stream) })
  const address = formatBeamAddress(pair.service.publicKey, { host: '127.0.0.1', port: pair.port })
  let stop = false
  let good = 0
  let failed = 0
  const load = Array.from({ length: 32 }, async () => {
    while (!stop) {
      try {
        const stream = await visitor.dial(address, { signal: AbortSignal.timeout(5_000) })
        stream.end('x')
        stream.resume()
        await once(stream, 'end')
        good++
      } catch {
        failed++
        await wait(1)
      }
    }
  })
  for (let round = 0; round < 20; round++) {
    const before = good
    await expect.poll(() => good, { interval: 1, timeout: 15_000 }).toBeGreaterThan(before + 20)
    for (const link of pair.listener.links) link.close({ reason: 'destroyed by the test' })
  }
  const before = good
  await expect.poll(() => good, { interval: 1, timeout: 15_000 }).toBeGreaterThan(before + 100)
  stop = true
  await Promise.all(load)
  // Each loss costs what was under way, no more.
  expect(failed).toBeLessThanOrEqual(20 * 32 * 2)
})

it('asks again on another link when the one that it asked on ends before the answer', async () => {
  await using paths = await testPaths()
  await using visitor = await testMesh(paths)
  let asked = 0
  await using pair = await listenForPair({
    judge: async () => {
      if (asked++ === 0) for (const link of pair.listener.links) link.close({ reason: 'destroyed by the test' })
      await wait(1)
      return undefined
    },
  })
  const address = formatBeamAddress(pair.service.publicKey, { host: '127.0.0.1', port: pair.port })
  expect((await visitor.reach(address, { signal: AbortSignal.timeout(5_000) })).kind).toBe('direct')
  expect(asked).toBe(2)
})
