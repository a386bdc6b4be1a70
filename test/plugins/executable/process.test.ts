import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../core/index.ts'
import { MAX_UNREAD_BYTES } from '../../../plugins/executable/limits.ts'
import { ExecutableProcess } from '../../../plugins/executable/process.ts'
import { Workshop, alive } from './harness.ts'

describe('ExecutableProcess', () => {
  it('says when what it is sent is not read any more', async () => {
    const running = new ExecutableProcess({
      command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
      clock: systemClock,
      logger: silentLogger,
      onOutput: () => {},
      onExit: () => {},
    })
    try {
      expect(running.write('x')).toBe(true)
      expect(running.write('x'.repeat(MAX_UNREAD_BYTES + 1_000_000))).toBe(false)
    } finally {
      await running.kill()
    }
    expect(alive(running.pid ?? 0)).toBe(false)
  })

  it('ends when the process that started it is killed', async () => {
    await using workshop = await Workshop.open()
    const script = fileURLToPath(new URL('owner.ts', import.meta.url))
    const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url))
    const owner = spawn(process.execPath, [tsx, '--conditions=beam:source', script, workshop.paths.config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pids = await new Promise<readonly number[]>((resolve, reject) => {
      owner.once('exit', () => reject(new Error('the owner ended early')))
      createInterface(owner.stdout).once('line', (line) => resolve(JSON.parse(line) as number[]))
    })
    const [ownerPid = 0, executablePid = 0] = pids
    expect(alive(executablePid)).toBe(true)
    process.kill(ownerPid, 'SIGKILL')
    await expect.poll(() => alive(executablePid), { timeout: 15_000 }).toBe(false)
    expect(await workshop.notes()).toContain('end of input')
  })
})
