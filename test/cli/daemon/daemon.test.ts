import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { expectValid } from '../json-schema.ts'
import { addressOf, crash, Home, service } from './home.ts'

/** Real processes on a machine that may be busy. */
const SLOW = { timeout: 60_000 }

describe('the daemon', SLOW, () => {
  it('is one: of two starters at once, both end up with the same', async () => {
    await using home = await Home.make()
    const pids = await Promise.all([home.startDaemon(), home.startDaemon()])
    expect(pids[0]).toBe(pids[1])
    const again = await home.json<{ changed: boolean; process: { pid: number } }>('answers#/$defs/daemon', 'daemon', 'start')
    expect(again).toMatchObject({ changed: false, process: { pid: pids[0] } })
  })

  it('refuses to run twice, and says which process it is', async () => {
    await using home = await Home.make()
    const pid = await home.startDaemon()
    const { code, stderr } = await home.run('daemon', 'run')
    expect(code).toBe(1)
    expect(stderr).toContain(`process ${pid}`)
    expect(stderr).toContain('BEAM_ERR_DAEMON_RUNNING')
  })

  it('leaves nothing behind when it is stopped, and tells when none runs', async () => {
    await using home = await Home.make()
    expect((await home.run('daemon', 'status')).code).toBe(1)
    const pid = await home.startDaemon()
    expect(await home.json('answers#/$defs/daemon', 'daemon', 'status')).toMatchObject({ running: true, process: { pid, role: 'daemon' } })
    expect(await home.json('answers#/$defs/daemon', 'daemon', 'stop')).toMatchObject({ running: false, changed: true })
    expect(await stat(join(home.sockets, 'daemon.sock')).catch(() => 'gone')).toBe('gone')
    expect(await home.json('answers#/$defs/daemon', 'daemon', 'stop')).toMatchObject({ running: false, changed: false })
    expect((await home.run('daemon', 'logs')).stdout).toMatch(/info the daemon ends reason=beam daemon stop\n$/)
  })

  it('comes back after kill -9 under load, with the same addresses of what was left with it', async () => {
    using web = await service()
    await using home = await Home.make()
    const named = home.start(String(web.port), '--name', 'web', '-d', '--json')
    const unnamed = home.start(String(web.port), '-d', '--json')
    const [first, second] = [addressOf(await named.event('ready')), addressOf(await unnamed.event('ready'))]
    expect([(await named.ended).code, (await unnamed.ended).code]).toEqual([0, 0])
    await using visitor = home.start('connect', first, '--port', '0', '--json')
    const { port } = (await visitor.event('listening')) as unknown as { port: number }
    const ask = async (ms = 3_000): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}/x`, { signal: AbortSignal.timeout(ms) })).text()
    expect(await ask(30_000)).toBe('hello /x')
    let running = true
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) await ask().catch(() => new Promise((resolve) => setTimeout(resolve, 20)))
      }),
    )
    const [daemon] = await home.list()
    await crash(daemon!.process.pid)
    expect(await home.startDaemon()).not.toBe(daemon!.process.pid)
    await vi.waitFor(async () => expect(await ask()).toBe('hello /x'), { timeout: 20_000, interval: 200 })
    running = false
    await load
    await vi.waitFor(async () => expect((await home.tunnels()).map(({ state }) => state)).toEqual(['ready', 'ready']), { timeout: 10_000 })
    const addresses = (await home.tunnels()).map(({ endpoints }) => endpoints[0]?.address)
    expect(new Set(addresses)).toEqual(new Set([first, second]))
  })

  it('keeps what it was left with in a file for its owner only, forgets what was stopped, and its made-up name with it', async () => {
    using web = await service()
    await using home = await Home.make()
    const left = await home.run(String(web.port), '-d', '--secret', 'open sesame', '--json')
    expect(left.code).toBe(0)
    const file = join(home.path, 'home', 'data', 'daemon', 'tunnels.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).toContain('open sesame')
    const [tunnel] = await home.tunnels()
    expect(tunnel).toMatchObject({ kept: true, state: 'ready', name: `unnamed-${tunnel!.id}` })
    const { stopped } = await home.json<{ stopped: unknown[] }>('answers#/$defs/stopList', 'stop', tunnel!.name!)
    expect(stopped).toHaveLength(1)
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ version: 1, tunnels: [] })
    expect((await home.run('key', 'list', '--json')).stdout).toBe('{"services":[]}\n')
    // What was stopped does not come back.
    await crash((await home.list())[0]!.process.pid)
    await home.startDaemon()
    expect(await home.tunnels()).toEqual([])
  })

  it('tries a kept tunnel again that cannot be published at its start', async () => {
    using web = await service()
    await using home = await Home.make()
    expect((await home.run(String(web.port), '-d', '--name', 'web', '--json')).code).toBe(0)
    await home.run('daemon', 'stop')
    const other = home.start(String(web.port), '--name', 'web', '--json')
    await other.event('ready')
    await home.startDaemon()
    const kept = async (): Promise<unknown> => (await home.tunnels()).find(({ kept }) => kept)
    await vi.waitFor(async () => expect(await kept()).toMatchObject({ state: 'waiting', problem: { code: 'BEAM_ERR_NAME_IN_USE' } }), 5_000)
    await other.stop()
    await vi.waitFor(async () => expect(await kept()).toMatchObject({ state: 'ready' }), { timeout: 20_000, interval: 300 })
  })
})

describe('beam PORT while a daemon runs', SLOW, () => {
  it('is carried by the daemon, with the same events, and ends with Ctrl-C', async () => {
    using web = await service()
    await using home = await Home.make()
    const daemon = await home.startDaemon()
    await using attached = home.start(String(web.port), '--json')
    await attached.event('ready')
    await using foreground = home.start(String(web.port), '--json', '--no-daemon')
    await foreground.event('ready')
    await vi.waitFor(async () => {
      const carriers = new Map((await home.list()).map(({ process, tunnels }) => [process.pid, tunnels.length]))
      expect(carriers).toEqual(
        new Map([
          [daemon, 1],
          [foreground.child.pid, 1],
        ]),
      )
    }, 10_000)
    const ends = [await attached.stop(), await foreground.stop()]
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(attached.events.map(({ event }) => event)).toEqual(foreground.events.map(({ event }) => event))
    for (const event of [...attached.events, ...foreground.events]) expectValid('events', event)
    expect(attached.events.at(-1)).toMatchObject({ event: 'stopped', reason: 'interrupted' })
    expect(await home.tunnels()).toEqual([])
  })

  it('ends with the command, also when that is killed', async () => {
    using web = await service()
    await using home = await Home.make()
    await home.startDaemon()
    await using attached = home.start(String(web.port), '--json')
    await attached.event('ready')
    expect(await home.tunnels()).toMatchObject([{ kept: false }])
    await attached.stop('SIGKILL')
    await vi.waitFor(async () => expect(await home.tunnels()).toEqual([]), { timeout: 10_000 })
  })

  it('goes on in the command itself when the daemon is killed, and keeps the address of a name', async () => {
    using web = await service()
    await using home = await Home.make()
    const daemon = await home.startDaemon()
    await using attached = home.start(String(web.port), '--name', 'web', '--json')
    const before = addressOf(await attached.event('ready'))
    await crash(daemon)
    expect(addressOf(await attached.event('ready', 2))).toBe(before)
    expect(attached.events.find(({ event, code }) => event === 'warning' && code === 'BEAM_WARN_DAEMON_LOST')).toBeDefined()
    await expect
      .poll(async () => (await home.list()).map(({ process }) => process))
      .toMatchObject([{ pid: attached.child.pid, role: 'command' }])
    expect((await attached.stop()).code).toBe(0)
  })

  it('fails as it would alone when it can never be published', async () => {
    await using home = await Home.make()
    await home.startDaemon()
    for (const args of [
      ['3000', '--backend', 'nothing'],
      ['3000', '--require-service', '--name', 'web'],
    ]) {
      const attached = await home.run(...args, '--json')
      const alone = await home.run(...args, '--json', '--no-daemon')
      expect(attached.code).toBe(alone.code)
      expect(JSON.parse(attached.stdout.split('\n').at(-2)!)).toEqual(JSON.parse(alone.stdout.split('\n').at(-2)!))
    }
    expect(await home.tunnels()).toEqual([])
  })

  it('publishes all of its services or none', async () => {
    using web = await service()
    await using home = await Home.make()
    await home.startDaemon()
    await using taken = home.start(String(web.port), '--name', 'taken', '--json', '--no-daemon')
    await taken.event('ready')
    for (const detach of [[], ['-d']]) {
      const { code, stdout } = await home.run(String(web.port), String(web.port), '--name', 'free', '--name', 'taken', ...detach, '--json')
      expect(code).toBe(1)
      expect(stdout).toContain('BEAM_ERR_NAME_IN_USE')
      expect((await home.list()).find(({ process }) => process.role === 'daemon')?.tunnels).toEqual([])
    }
  })

  it('ends with 1 when the daemon is stopped, and 0 when beam stop ends it', async () => {
    using web = await service()
    await using home = await Home.make()
    await home.startDaemon()
    const first = home.start(String(web.port), '--name', 'web', '--json')
    await first.event('ready')
    expect((await home.run('stop', 'web')).stdout).toBe(`web (localhost:${web.port}) is no longer published.\n`)
    expect((await first.ended).code).toBe(0)
    const second = home.start(String(web.port), '--json')
    await second.event('ready')
    await home.run('daemon', 'stop')
    expect((await second.ended).code).toBe(1)
    expect(second.events.at(-1)).toMatchObject({ event: 'error', code: 'BEAM_ERR_DAEMON' })
  })
})

describe('commands in the foreground', SLOW, () => {
  it('are listed, shown, read and stopped like the daemon', async () => {
    using web = await service()
    await using home = await Home.make()
    await using one = home.start(String(web.port), '--name', 'one', '--json')
    await using two = home.start(String(web.port), '--name', 'two', '--json')
    const [address] = [addressOf(await one.event('ready')), await two.event('ready')]
    await vi.waitFor(async () => expect(new Set((await home.tunnels()).map(({ name }) => name))).toEqual(new Set(['one', 'two'])), 10_000)
    expect((await home.run('list')).stdout).toContain(address)
    expect(await home.json('answers#/$defs/list', 'list')).toMatchObject({ processes: [{ process: { role: 'command' } }, {}], silent: [] })
    const status = await home.run('status', 'one')
    expect(status.stdout).toContain(address)
    expect(status.stdout).not.toContain('two')
    const logs = await home.run('logs', 'one', '--json')
    const entries = logs.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: unknown })
    expect(entries.map(({ event }) => event)).toEqual(one.events)
    expect((await home.run('stop', 'ones')).stderr).toContain('Did you mean one?')
    await home.run('stop', '--all')
    expect([(await one.ended).code, (await two.ended).code]).toEqual([0, 0])
    expect((await home.run('list')).stdout).toContain('No tunnel runs.')
  })

  it('that were killed are not listed, and their sockets are cleared away', async () => {
    using web = await service()
    await using home = await Home.make()
    const killed = home.start(String(web.port), '--json')
    await killed.event('ready')
    await vi.waitFor(async () => expect(await home.tunnels()).toHaveLength(1), 10_000)
    await killed.stop('SIGKILL')
    expect(await home.list()).toEqual([])
    expect(await readdir(home.sockets)).toEqual([])
  })
})
