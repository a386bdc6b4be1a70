import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { WatchedProcess } from '../../../../backends/i2p/router/watchdog.ts'

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const source = fileURLToPath(new URL('../../../../backends/i2p/router/watchdog.ts', import.meta.url))

describe.skipIf(process.platform === 'win32')('a watched program', () => {
  it('is told to end, and ends', async () => {
    const watched = new WatchedProcess('/bin/sleep', ['100'], '/')
    await expect.poll(() => watched.pid).toBeGreaterThan(0)
    const pid = watched.pid as number
    expect(alive(pid)).toBe(true)
    await watched.stop()
    expect(watched.running).toBe(false)
    expect(alive(pid)).toBe(false)
  })

  it('that does not want to end is killed in time', async () => {
    const watched = new WatchedProcess('/bin/sh', ['-c', 'trap "" TERM; while :; do sleep 0.1; done'], '/')
    await expect.poll(() => watched.pid).toBeGreaterThan(0)
    const pid = watched.pid as number
    await watched.stop()
    expect(alive(pid)).toBe(false)
  })

  it('that ends by itself is noticed', async () => {
    const watched = new WatchedProcess('/bin/sleep', ['0.05'], '/')
    await watched.ended
    expect(watched.running).toBe(false)
    await watched.stop()
  })

  it('that cannot be started is noticed', async () => {
    const watched = new WatchedProcess('/no/such/program', [], '/')
    await watched.ended
    await watched.stop()
  })

  it('ends with a Beam that is killed without warning', async () => {
    const parent = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `const { WatchedProcess } = await import(${JSON.stringify(source)})
         const watched = new WatchedProcess('/bin/sleep', ['100'], '/')
         const timer = setInterval(() => watched.pid === undefined || (clearInterval(timer), console.log(watched.pid)), 5)
         setInterval(() => {}, 1000)`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(alive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => alive(pid), { timeout: 15_000 }).toBe(false)
  })
})
