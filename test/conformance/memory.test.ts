import { describe, expect, it } from 'vitest'
import {
  MemoryBackend,
  MemoryMessageBackend,
  MemoryNetwork,
  MemorySiteBackend,
  runConformance,
  testBackend,
  type ConformanceFixture,
  type PromiseId,
} from '../../core/testing/index.ts'

const network = new MemoryNetwork()

testBackend(
  { describe, it },
  {
    name: 'the memory backend',
    create: () => new MemoryBackend({ network }),
    pair: () => new MemoryBackend({ network }),
  },
)

async function kept(fixture: ConformanceFixture, only: readonly PromiseId[]): Promise<void> {
  const { promises } = await runConformance(fixture, { only })
  expect(promises.map(({ id, result, reason }) => [id, result, reason])).toEqual(only.map((id) => [id, 'kept', undefined]))
}

describe('the memory backend', () => {
  it('carries messages, as its message variant', async () => {
    const create = (): MemoryMessageBackend => new MemoryMessageBackend({ network })
    await kept({ name: 'messages', create, pair: create }, ['message-exact', 'message-size-limit', 'message-unsubscribe'])
  })

  it('publishes sites, as its site variant', async () => {
    const create = (): MemorySiteBackend => new MemorySiteBackend({ network })
    const reader = create()
    await kept({ name: 'sites', create, fetchSite: (address, path) => reader.fetchSite(address, path) }, ['site-published', 'site-abort'])
  })

  it('dials what it publishes itself', async () => {
    await kept({ name: 'alone', create: () => new MemoryBackend() }, [
      'dispose-leaves-nothing',
      'endpoint-dialable',
      'echo',
      'domain-resolves',
    ])
  })
})
