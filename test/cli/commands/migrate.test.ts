import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { faultOf } from '../../../cli/daemon/validate.ts'
import { pluginCode, writePackage } from '../../plugins/plugin-package.ts'
import { Home, service } from '../daemon/home.ts'

/** Longest that anything may take on a loaded machine. */
const WAIT = { timeout: 40_000, interval: 100 }

let home: Home
let local: Awaited<ReturnType<typeof service>>
beforeEach(async () => {
  home = await Home.make()
  local = await service()
  for (const name of ['fog', 'mist']) await writePackage(join(home.path, name), { 'index.mjs': pluginCode(name) })
  const broken = pluginCode('broken', { over: 'async startTunnel() { throw new Error("no wire") },' })
  const stuck = pluginCode('stuck', {
    before: 'import { writeFileSync } from "node:fs"',
    over: `startTunnel: () => (writeFileSync(${JSON.stringify(join(home.path, 'begun'))}, ''), new Promise(() => {})),`,
  })
  await writePackage(join(home.path, 'broken'), { 'index.mjs': broken })
  await writePackage(join(home.path, 'stuck'), { 'index.mjs': stuck })
  const config = {
    backends: ['fog', 'mist', 'broken', 'stuck'].map((name) => ({ name })),
    plugins: ['./fog', './mist', './broken', './stuck'],
  }
  await writeFile(join(home.path, 'beam.config.yaml'), JSON.stringify(config), { mode: 0o600 })
})
afterEach(async () => {
  local[Symbol.dispose]()
  await home[Symbol.asyncDispose]()
})

const networks = async (): Promise<string[]> => (await home.tunnels()).flatMap(({ endpoints }) => endpoints.map(({ backend }) => backend))

describe('beam migrate', { timeout: 60_000 }, () => {
  it('moves a tunnel of a command in the foreground, by name', async () => {
    await using publisher = home.start(String(local.port), '--name', 'web', '--backends', 'fog', '--json')
    await publisher.event('ready')
    const { stdout, code, stderr } = await home.run('migrate', '--from', 'fog', '--to', 'mist', '--tunnel-id', 'web')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('mist: mist://')
    expect(stdout).toContain('Moved from fog to mist.')
    expect(await networks()).toEqual(['mist'])
    expect(await publisher.event('failover')).toMatchObject({ from: 'fog', to: 'mist' })
  })

  it('moves a tunnel of the daemon, which has it on the new network after a restart too', async () => {
    await home.startDaemon()
    const published = await home.run(String(local.port), '--name', 'web', '--backends', 'fog', '--detach', '--json')
    expect(published.code).toBe(0)
    const [tunnel] = await home.tunnels()
    const { stdout, code } = await home.run('migrate', '--from', 'fog', '--to', 'mist', '--tunnel-id', tunnel?.id ?? '', '--json')
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines.map((line) => faultOf('answers#/$defs/migrateLine', line))).toEqual(lines.map(() => undefined))
    expect(lines.at(-1)).toEqual({ migrated: tunnel?.id, from: 'fog', to: 'mist' })
    expect(await networks()).toEqual(['mist'])
    const kept = JSON.parse(await readFile(join(home.paths.data, 'daemon', 'tunnels.json'), 'utf8')) as {
      tunnels: [{ request: { options: object } }]
    }
    expect(kept.tunnels[0].request.options).toMatchObject({ name: 'web', backends: ['mist'] })
    expect((await home.run('daemon', 'stop')).code).toBe(0)
    await home.startDaemon()
    await expect.poll(networks, WAIT).toEqual(['mist'])
  })

  it('leaves the tunnel as it was when the new network fails', async () => {
    await using publisher = home.start(String(local.port), '--name', 'web', '--backends', 'fog', '--json')
    await publisher.event('ready')
    const { code, stderr } = await home.run('migrate', '--from', 'fog', '--to', 'broken', '--tunnel-id', 'web')
    expect(code).toBe(1)
    expect(stderr).toContain('no wire')
    expect(await networks()).toEqual(['fog'])
  })

  it('leaves the tunnel as it was when the command is ended in the middle', async () => {
    await using publisher = home.start(String(local.port), '--name', 'web', '--backends', 'fog', '--json')
    await publisher.event('ready')
    await using mover = home.start('migrate', '--from', 'fog', '--to', 'stuck', '--tunnel-id', 'web')
    await expect.poll(() => existsSync(join(home.path, 'begun')), WAIT).toBe(true)
    mover.child.kill('SIGINT')
    expect((await mover.ended).code).toBe(0)
    expect(await networks()).toEqual(['fog'])
    // Nothing of the attempt is left: the tunnel can be moved.
    await expect.poll(async () => (await home.run('migrate', '--from', 'fog', '--to', 'mist', '--tunnel-id', 'web')).code, WAIT).toBe(0)
    expect(await networks()).toEqual(['mist'])
  })

  it('says what is wrong with the request', async () => {
    await using publisher = home.start(String(local.port), '--name', 'web', '--backends', 'fog', '--json')
    await publisher.event('ready')
    const wrong: ReadonlyArray<readonly [string[], number, string]> = [
      [['--from', 'fog', '--to', 'mist', '--tunnel-id', 'wob'], 1, 'Did you mean web?'],
      [['--from', 'mist', '--to', 'fog', '--tunnel-id', 'web'], 2, 'does not use mist'],
      [['--from', 'fog', '--to', 'fog', '--tunnel-id', 'web'], 2, 'uses fog already'],
      [['--from', 'fog', '--to', 'smoke', '--tunnel-id', 'web'], 2, 'smoke'],
      [['--from', 'fog', '--to', 'mesh', '--tunnel-id', 'web'], 2, '--allow-exposure'],
      [['--from', 'fog', '--to', 'mist', '--tunnel-id', 'web', '--drain', 'soon'], 2, 'duration'],
      [['--from', 'fog', '--tunnel-id', 'web'], 2, 'Missing required flag to'],
    ]
    for (const [flags, code, message] of wrong) {
      const outcome = await home.run('migrate', ...flags)
      expect([flags, outcome.code]).toEqual([flags, code])
      expect(outcome.stderr).toContain(message)
    }
    expect(await networks()).toEqual(['fog'])
  })
})
