import { describe, expect, it } from 'vitest'
import { isDialler, isKeyKeeper, isMessageNetwork, isOperable, isSitePublisher, MAX_KEY_MATERIAL_BYTES } from '../../core/index.ts'
import { MemoryBackend, MemoryMessageBackend, MemoryNetwork, runConformance } from '../../core/testing/index.ts'
import { blame, guardBackend } from '../../plugins/guard.ts'

it('changes nothing about a backend that keeps its promises', async () => {
  const network = new MemoryNetwork()
  const create = () => guardBackend(new MemoryBackend({ network }), 'memory')
  const sizes = { resets: 20, bulkBytes: 256 * 1024, parallel: 8, stalled: 8, sequential: 8, maxBufferedBytes: 16 * 1024 * 1024 }
  const { promises } = await runConformance({ name: 'guarded memory', create, pair: create, timeScale: 0.1, sizes })
  expect(promises.filter(({ result }) => result === 'broken').map(({ id, reason }) => `${id}: ${reason ?? ''}`)).toEqual([])
  expect(promises.filter(({ result }) => result === 'kept').length).toBeGreaterThan(30)
})

it('shows the powers that a backend has, and no others', () => {
  const memory = guardBackend(new MemoryBackend(), 'memory')
  expect([isDialler(memory), isMessageNetwork(memory), isSitePublisher(memory)]).toEqual([true, false, false])
  const messages = new MemoryMessageBackend()
  const guarded = guardBackend(messages, messages.name)
  expect([isDialler(guarded), isMessageNetwork(guarded)]).toEqual([isDialler(messages), true])
})

it('checks the answers of operations and the progress of a start', async () => {
  const told: unknown[] = []
  const answers: unknown[] = [{ circuits: 3 }, 'three', { text: 'x'.repeat(300_000) }, undefined]
  const backend = guardBackend(
    Object.assign(new MemoryBackend(), {
      operations: [],
      operate: async () => answers.shift(),
      initialize: async ({ onProgress }: { onProgress?: (progress: unknown) => void }) => {
        for (const progress of [{ phase: 'bootstrap', percent: 5, message: 'five' }, { phase: 5 }, 'six']) onProgress?.(progress)
      },
    }),
    'memory',
  )
  await backend.initialize({ onProgress: (progress) => told.push(progress) })
  expect(told).toEqual([{ phase: 'bootstrap', percent: 5, message: 'five' }])
  if (!isOperable(backend)) throw new Error('the guard hides the operations')
  expect(await backend.operate('status')).toEqual({ circuits: 3 })
  for (const what of ['no object', 'bytes', 'no object']) {
    await expect(backend.operate('status')).rejects.toMatchObject({
      code: 'BEAM_ERR_PLUGIN',
      message: expect.stringContaining(what) as string,
    })
  }
})

it('passes keys on that are bytes, and not more than keys have', async () => {
  const answers: unknown[] = [undefined, Buffer.from('key'), 'key', Buffer.alloc(MAX_KEY_MATERIAL_BYTES + 1)]
  const keeper = { exportKeys: async () => answers.shift(), importKeys: async () => {} }
  const backend = guardBackend(Object.assign(new MemoryBackend(), keeper), 'memory')
  if (!isKeyKeeper(backend)) throw new Error('the guard hides the keys')
  expect(await backend.exportKeys('web')).toBeUndefined()
  expect(await backend.exportKeys('web')).toEqual(Buffer.from('key'))
  for (let bad = 0; bad < 2; bad += 1) await expect(backend.exportKeys('web')).rejects.toMatchObject({ code: 'BEAM_ERR_PLUGIN' })
})

describe('refuses what a backend says against the contract', () => {
  const bad = (over: object) => guardBackend(Object.assign(new MemoryBackend(), over), 'memory')
  const broken = (what: string) => ({ code: 'BEAM_ERR_PLUGIN', message: expect.stringContaining(what) as string })

  it.each([
    ['a status', { getStatus: async () => 'fine' }, 'getStatus'],
    ['a tunnel', { startTunnel: async () => ({ id: 'x', endpoints: [{ address: 5 }] }) }, 'startTunnel'],
    ['an address', { resolveDomain: async () => undefined }, 'resolveDomain'],
    ['an address of a megabyte', { resolveDomain: async () => 'x'.repeat(1 << 20) }, 'resolveDomain'],
    ['a stream', { dial: async () => 'stream' }, 'dial'],
    ['a path', { reach: async () => ({ hops: -1 }) }, 'reach'],
  ])('%s', async (_, over, what) => {
    const backend = bad(over)
    const calls = [backend.getStatus(), backend.startTunnel(1), backend.resolveDomain('a.local', {})]
    if (isDialler(backend)) calls.push(backend.dial('memory://x') as never, backend.reach('memory://x') as never)
    const reasons = (await Promise.allSettled(calls)).flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
    expect(reasons).toContainEqual(expect.objectContaining(broken(what)))
  })

  it('capabilities', () => {
    expect(() => bad({ getCapabilities: () => ({}) })).toThrow('capabilities are wrong')
    expect(() => bad({ getCapabilities: () => ({ ...new MemoryBackend().getCapabilities(), maxThroughput: 'lots' }) })).toThrow(
      'maxThroughput',
    )
  })
})

it('blames the plugin for errors that are nobody’s, and leaves others alone', () => {
  expect(blame('tin', 'starting', new Error('x'))).toMatchObject({
    code: 'BEAM_ERR_PLUGIN',
    message: 'The plugin tin failed while starting: x',
  })
  expect(blame('tin', 'starting', 'a word').message).toContain('a word')
  const abort = new DOMException('no', 'AbortError')
  expect(blame('tin', 'starting', abort)).toBe(abort)
})
