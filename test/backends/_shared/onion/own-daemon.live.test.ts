import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TorBackend } from '../../../../backends/tor/index.ts'
import { silentLogger, systemClock, type BeamPaths } from '../../../../core/index.ts'
import { testPaths } from '../../../helpers/mesh.ts'
import { requireProgram } from '../../../live/requirements.ts'

const tor = requireProgram('tor', { apt: 'tor', brew: 'tor' })

const undo: Array<() => unknown> = []
let paths: BeamPaths & AsyncDisposable
beforeEach(async () => {
  paths = await testPaths()
})
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
  await paths[Symbol.asyncDispose]()
})

/** A backend whose daemon stays off every network. */
function offline(config: Partial<ConstructorParameters<typeof TorBackend>[0]['config']> = {}): TorBackend {
  const defaults = {
    binary: tor ?? 'tor',
    torrc: ['DisableNetwork 1'],
    non_anonymous: false,
    pow: false,
    self_check: true,
    stall_seconds: 5,
  }
  const made = new TorBackend({ config: { ...defaults, ...config }, paths, logger: silentLogger, clock: systemClock })
  undo.push(() => made[Symbol.asyncDispose]())
  return made
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe.runIf(tor)('a daemon of our own', () => {
  it('is ready in its own folder, which nobody else can read, and gone with the backend', async () => {
    const backend = offline()
    await backend.initialize()
    const status = (await backend.operate('status')) as { pid: number; dataDir: string; version: string; bootstrap: { percent: number } }
    expect(status).toMatchObject({ mode: 'own', bootstrap: { percent: 0 }, binary: tor })
    expect(status.version).toMatch(/^0\.4\./)
    expect(status.dataDir).toBe(join(paths.data, 'tor/daemon'))
    expect((await stat(status.dataDir)).mode & 0o777).toBe(0o700)
    expect((await stat(join(status.dataDir, 'beam-torrc'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(status.dataDir, 'beam-torrc'), 'utf8')).toMatch(/\nDisableNetwork 1\n$/)
    expect(runs(status.pid)).toBe(true)
    await backend[Symbol.asyncDispose]()
    expect(runs(status.pid)).toBe(false)
  })

  it('has a folder beside the first one when that is in use, with what was fetched before', async () => {
    const [first, second] = [offline(), offline()]
    await first.initialize()
    const { dataDir } = (await first.operate('status')) as { dataDir: string }
    await writeFile(join(dataDir, 'cached-certs'), 'certificates')
    await second.initialize()
    const other = (await second.operate('status')) as { dataDir: string }
    expect(other.dataDir).toBe(`${dataDir}-2`)
    expect(await readdir(other.dataDir)).toEqual(expect.arrayContaining(['beam-torrc', 'cached-certs', 'lock']))
    await first[Symbol.asyncDispose]()
    const third = offline()
    await third.initialize()
    expect(((await third.operate('status')) as { dataDir: string }).dataDir).toBe(dataDir)
  })

  it('is there again after kill -9, with a new process', async () => {
    const backend = offline()
    await backend.initialize()
    const { pid } = (await backend.operate('status')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await expect.poll(async () => (await backend.getStatus()).state).toBe('degraded')
    await expect
      .poll(async () => ((await backend.operate('status')) as { pid?: number }).pid, { timeout: 60_000 })
      .toSatisfy((now: number | undefined) => now !== undefined && now !== pid && runs(now))
  })

  it('that hangs is ended all the same', async () => {
    const backend = offline()
    await backend.initialize()
    const { pid } = (await backend.operate('status')) as { pid: number }
    process.kill(pid, 'SIGSTOP')
    await backend[Symbol.asyncDispose]()
    expect(runs(pid)).toBe(false)
  })

  it('that does not get on ends the tunnel’s start with the reason, and leaves no service', async () => {
    const backend = offline()
    await backend.initialize()
    const told: string[] = []
    const starting = backend.startTunnel(3000, { name: 'web', onEvent: (event) => told.push(event.type) })
    await expect(starting).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'BEAM_ERR_BOOTSTRAP',
      message: expect.stringContaining('0 %') as string,
    })
    expect(told[0]).toBe('address')
    expect(await backend.operate('status')).toMatchObject({ services: [] })
    await expect(backend.dial('http://5jfgyy7ctrjavpxvkb5rglwf7gkuo5vox27hxescd3vgsfcg2iwfmxqd.onion')).rejects.toMatchObject({
      code: 'BEAM_ERR_BOOTSTRAP',
    })
  })

  it('with a line that it does not know says what the daemon says', async () => {
    await expect(offline({ torrc: ['DisableNetwork 1', 'NoSuchOption 1'] }).initialize()).rejects.toMatchObject({
      code: 'BEAM_ERR_PROGRAM_FAILED',
      message: expect.stringContaining('NoSuchOption') as string,
    })
  })

  it('is not started when its signal fires, and leaves no process', async () => {
    const backend = offline()
    const controller = new AbortController()
    const reason = new Error('enough')
    const starting = backend.initialize({ signal: controller.signal })
    // A daemon needs longer to start than a turn of the event loop, however quick the machine.
    setTimeout(() => controller.abort(reason), 1)
    await expect(starting).rejects.toBe(reason)
    await backend[Symbol.asyncDispose]()
    await expect(backend.initialize()).rejects.toMatchObject({ kind: 'unavailable' })
  })
})

describe('a daemon that is not there', () => {
  it('is an error with the way to install it', async () => {
    const backend = offline({ binary: join(paths.data, 'tor') })
    await expect(backend.initialize()).rejects.toMatchObject({ kind: 'config', message: expect.stringContaining('no program') as string })
  })

  it('or is another program, is said to be none', async () => {
    await expect(offline({ binary: process.execPath }).initialize()).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('does not say that it is tor') as string,
    })
  })
})
