import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ProcessBook, processSource } from '../../../plugins/benchmark/processes.ts'

/** A child of this process that does nothing, and ends with the test. */
async function idleChild(): Promise<Disposable> {
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

const hasPs = process.platform !== 'win32' && spawnSync('ps', ['-p', String(process.pid)]).status === 0
const kinds = [...(process.platform === 'linux' ? (['linux'] as const) : []), ...(hasPs ? (['darwin'] as const) : [])]

describe('ProcessBook', () => {
  it.each(kinds)('gives a child to the one who was busy when it was first seen, and counts this process for all (%s)', async (platform) => {
    const source = await processSource(platform)
    expect(source?.memoryKind).toBe(platform === 'linux' ? 'pss' : 'rss')
    const book = new ProcessBook(source!)
    using _before = await idleChild()
    await book.usage('')
    using _tor = await idleChild()
    const tor = await book.usage('tor')
    const mesh = await book.usage('mesh')
    expect(tor.names).toHaveLength(1)
    expect(tor.daemonsKib).toBeGreaterThan(1_000)
    expect(mesh).toMatchObject({ names: [], daemonsKib: 0 })
    expect(mesh.processKib).toBeGreaterThan(10_000)
    expect(mesh.cpuSeconds).toBeGreaterThan(0)
    expect((await book.usage('tor')).names).toEqual(tor.names)
  })
})

it('processSource() knows nothing where there is neither /proc nor ps', async () => {
  const path = process.env['PATH']
  process.env['PATH'] = ''
  try {
    expect(await processSource('win32')).toBeUndefined()
  } finally {
    process.env['PATH'] = path
  }
})
