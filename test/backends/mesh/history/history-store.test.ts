import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isDamaged, withDatabase } from '../../../../backends/mesh/history/database.ts'
import { HistoryKeeper } from '../../../../backends/mesh/history/history-keeper.ts'
import { HistoryStore } from '../../../../backends/mesh/history/history-store.ts'
import type { Sample } from '../../../../backends/mesh/history/sample.ts'
import type { MeshNetwork } from '../../../../backends/mesh/network/mesh-network.ts'
import { silentLogger, systemClock } from '../../../../core/index.ts'
import { testPaths } from '../../../helpers/mesh.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function state(): Promise<string> {
  const paths = await testPaths()
  open.push(paths)
  return paths.state
}

const NOW = 1_800_000_000_000
const sample = (over: Partial<Sample> = {}): Sample => ({
  at: NOW,
  upMs: 60_000,
  peers: 4,
  inbound: 1,
  latencyMs: 20,
  streams: 2,
  bytes: 1000,
  refused: 0,
  heard: 9,
  discoverable: true,
  ...over,
})
const hour = { since: NOW - 3_600_000, until: NOW, buckets: 60 }

describe('the history of the network', () => {
  it('gives back what was measured, in stretches', async () => {
    const store = new HistoryStore({ state: await state() }, systemClock)
    await store.add(sample({ at: NOW - 1_800_000, peers: 2, latencyMs: 40 }))
    await store.add(sample({ at: NOW, bytes: 3_000_000_000 }))
    await store.add(sample({ at: NOW - 7_200_000, peers: 50 }))
    const period = await store.read(hour)
    expect(period).toMatchObject({
      samples: 2,
      oldest: NOW - 7_260_000,
      upMs: 120_000,
      streams: 4,
      bytes: 3_000_001_000,
      peers: { mean: 3, least: 2, most: 4 },
      latencyMs: { mean: 30, least: 20, most: 40 },
      discoverable: 1,
    })
    expect(period.buckets.map(({ at, samples, peers }) => [at - hour.since, samples, peers])).toEqual([
      [29 * 60_000, 1, 2],
      [59 * 60_000, 1, 4],
    ])
    expect((await stat(store.path)).mode & 0o077).toBe(0)
  })

  it('says nothing of what was not measured', async () => {
    const store = new HistoryStore({ state: await state() }, systemClock)
    expect(await store.read(hour)).toEqual({ ...hour, buckets: [], samples: 0, upMs: 0, streams: 0, bytes: 0, refused: 0 })
    const { latencyMs: _, ...unmeasured } = sample()
    await store.add(unmeasured)
    const period = await store.read(hour)
    expect(period.samples).toBe(1)
    expect(period).not.toHaveProperty('latencyMs')
    expect(period.buckets[0]).not.toHaveProperty('latencyMs')
  })

  it('counts the time of two nodes at once only once', async () => {
    const folder = await state()
    const [one, other] = [new HistoryStore({ state: folder }, systemClock), new HistoryStore({ state: folder }, systemClock)]
    await one.add(sample({ at: NOW - 60_000 }))
    await other.add(sample({ at: NOW - 30_000 }))
    await one.add(sample())
    expect((await one.read(hour)).upMs).toBe(120_000)
  })

  it('forgets what is older than a month', async () => {
    const store = new HistoryStore({ state: await state() }, systemClock)
    await store.add(sample({ at: NOW - 33 * 86_400_000 }))
    await store.add(sample(), { prune: true })
    expect((await store.read({ ...hour, since: 0 })).samples).toBe(1)
  })

  it('waits for another process that writes, and takes over the lock of one that was killed', { timeout: 20_000 }, async () => {
    const store = new HistoryStore({ state: await state() }, systemClock)
    await store.add(sample({ at: NOW - 60_000 }))
    const driver = createRequire(import.meta.url).resolve('node-sqlite3-wasm')
    const script = `const { Database } = require(${JSON.stringify(driver)}); const database = new Database(${JSON.stringify(store.path)});
      database.exec('BEGIN IMMEDIATE; DELETE FROM samples'); process.stdout.write('locked')`
    const quick = spawn(process.execPath, ['-e', `${script}; setTimeout(() => database.exec('ROLLBACK'), 50)`])
    await once(quick.stdout, 'data')
    // Half a second is waited at a time: on a busy machine the other one may need longer.
    await vi.waitFor(() => store.add(sample()), { timeout: 15_000 })
    expect((await store.read(hour)).samples).toBe(2)
    if (quick.exitCode === null) await once(quick, 'exit')

    const killed = spawn(process.execPath, ['-e', `${script}; setInterval(() => {}, 1000)`])
    await once(killed.stdout, 'data')
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    await expect(store.add(sample())).rejects.toThrow('locked')
    const longAgo = new Date(Date.now() - 60_000)
    await utimes(`${store.path}.lock`, longAgo, longAgo)
    await store.add(sample())
    expect((await store.read(hour)).samples).toBe(3)
  })

  it('sets a damaged file aside and begins anew', async () => {
    const folder = await state()
    const kept: string[] = []
    const store = new HistoryStore({ state: folder }, systemClock, (path) => kept.push(path))
    await mkdir(folder, { recursive: true })
    await writeFile(store.path, 'this is no database '.repeat(500))
    await store.add(sample())
    expect((await store.read(hour)).samples).toBe(1)
    expect(kept).toEqual([`${store.path}.damaged`])
    expect(await readFile(`${store.path}.damaged`, 'utf8')).toMatch(/^this is no database/)
  })

  it('stays below its size: what does not fit is an error, and what was there stays', async () => {
    const path = join(await state(), 'full.sqlite')
    const schema = 'CREATE TABLE IF NOT EXISTS large (bytes BLOB)'
    const fill = withDatabase(path, schema, (database) => {
      for (let row = 0; row < 64; row++) database.run('INSERT INTO large VALUES (zeroblob(1048576))')
    })
    await expect(fill).rejects.toThrow(/full/)
    await expect(fill.catch((error: unknown) => isDamaged(error))).resolves.toBe(false)
    expect((await stat(path)).size).toBeLessThanOrEqual(4096 * 4096)
    expect(await withDatabase(path, schema, (database) => Number(database.get('SELECT count(*) AS n FROM large')?.['n']))).toBeGreaterThan(
      4,
    )
  })
})

describe('the keeper of the history', () => {
  const network = { relayed: undefined, peers: { peers: () => [] }, heard: () => [] } as unknown as MeshNetwork

  it('says once that it cannot write, and goes on', async () => {
    const folder = await state()
    // Where the folder should be, there is a file.
    await writeFile(folder, '')
    const warnings: string[] = []
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) }
    const store = new HistoryStore({ state: folder }, systemClock)
    await using keeper = new HistoryKeeper({ network, store, clock: systemClock, logger, discoverable: () => false })
    await keeper.take()
    await keeper.take()
    expect(warnings).toEqual(['the history of the network cannot be kept'])
    // Whoever asks for it is told why there is none.
    await expect(store.read({ since: 0, until: 1, buckets: 1 })).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_UNAVAILABLE',
      hint: expect.stringContaining(store.path),
    })
  })

  it('takes a sample before the past is read, when the last one is some seconds old', async () => {
    const folder = await state()
    let now = 0
    const clock = { ...systemClock, monotonic: () => now }
    const store = new HistoryStore({ state: folder }, clock)
    await using _keeper = new HistoryKeeper({ network, store, clock, logger: silentLogger, discoverable: () => true })
    const last = { since: 0, until: Date.now() + 60_000, buckets: 1 }
    expect((await store.read(last)).samples).toBe(0)
    now = 6_000
    expect(await store.read(last)).toMatchObject({ samples: 1, upMs: 6_000 })
    expect((await readdir(folder)).some((name) => name.endsWith('.lock'))).toBe(false)
  })
})
