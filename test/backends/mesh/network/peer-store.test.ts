import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { PeerStore } from '../../../../backends/mesh/network/peer-store.ts'
import { Candidates, encodeKey, generateIdentity, silentLogger, systemClock, type Logger } from '../../../../core/index.ts'
import { testPaths } from '../../../helpers/mesh.ts'

function known(): Candidates {
  const candidates = new Candidates(systemClock)
  const { publicKey } = generateIdentity()
  candidates.add({ key: publicKey, contact: { host: '127.0.0.1', port: 4001 }, source: 'config' })
  candidates.experience(encodeKey('node', publicKey), 'kept')
  expect(candidates.toStore(10)).toHaveLength(1)
  return candidates
}

it('loses the memory of peers to a disk that takes nothing, and nothing else', async () => {
  await using paths = await testPaths()
  // In place of the folder there is a file: like a full disk, it takes nothing.
  await mkdir(dirname(paths.data), { recursive: true })
  await writeFile(paths.data, 'no folder')
  const warn = vi.fn<Logger['warn']>()
  const store = new PeerStore(paths, { ...silentLogger, warn })
  await store.save(known())
  expect(warn).toHaveBeenCalledTimes(1)
  const later = new Candidates(systemClock)
  await store.load(later)
  await store.forget()
  expect(later.size).toBe(0)
})

it('makes of any file some peers or none', async () => {
  await using paths = await testPaths()
  await mkdir(paths.data, { recursive: true, mode: 0o700 })
  const store = new PeerStore(paths, silentLogger)
  const entry = fc.record({
    id: fc.string(),
    host: fc.string(),
    port: fc.anything(),
    good: fc.anything(),
    bad: fc.anything(),
    at: fc.anything(),
  })
  const content = fc.oneof(
    fc.string(),
    fc.json(),
    fc.array(fc.oneof(entry, fc.anything())).map((value) => JSON.stringify(value) ?? ''),
  )
  await fc.assert(
    fc.asyncProperty(content, async (text) => {
      await writeFile(join(paths.data, 'peers.json'), text, { mode: 0o600 })
      const candidates = new Candidates(systemClock)
      await store.load(candidates)
      expect(candidates.size).toBe(0)
    }),
    { numRuns: 60 },
  )
})
