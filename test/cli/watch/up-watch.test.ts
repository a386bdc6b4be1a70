import { rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { pluginCode, writePackage } from '../../plugins/plugin-package.ts'
import { addressOf, crash, Home, service } from '../daemon/home.ts'

const WAIT = { timeout: 20_000, interval: 50 }
const names = async (home: Home): Promise<string[]> => (await home.tunnels()).map(({ name = '' }) => name).toSorted()
const idOf = async (home: Home, name: string): Promise<string> => (await home.tunnels()).find((tunnel) => tunnel.name === name)?.id ?? ''

async function declare(home: Home, config: object): Promise<void> {
  // As editors do: a new file takes the place of the old one.
  await writeFile(join(home.path, 'new.yaml'), JSON.stringify(config))
  await rename(join(home.path, 'new.yaml'), join(home.path, 'beam.config.yaml'))
}

describe('beam up --watch', { timeout: 60_000 }, () => {
  it('publishes what is added, ends what is removed, renews what is changed, and does not touch the rest', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    const [one, two] = [
      { name: 'one', port: web.port },
      { name: 'two', port: other.port },
    ]
    await declare(home, { tunnels: [one] })
    await using up = home.start('up', '--watch', '--json')
    const first = await up.event('ready')
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one']), WAIT)
    const id = await idOf(home, 'one')

    // A visitor's connection goes on while others come and go.
    const visitor = home.start('connect', addressOf(first), '--json')
    const { port } = (await visitor.event('listening')) as unknown as { port: number }
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')

    await declare(home, { tunnels: [one, two] })
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one', 'two']), WAIT)
    const added = await idOf(home, 'two')
    await declare(home, { tunnels: [one, { ...two, access: { secret: 'word' } }] })
    await vi.waitFor(async () => {
      expect(await names(home)).toEqual(['one', 'two'])
      expect(await idOf(home, 'two')).not.toBe(added)
    }, WAIT)
    await declare(home, { tunnels: [one] })
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one']), WAIT)
    expect(await idOf(home, 'one')).toBe(id)

    socket.write('GET /alive HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toContain('hello /alive')
    expect((await visitor.stop()).code).toBe(0)
    await up.event('stopped', 2)
    const reasons = up.events.filter(({ event }) => event === 'stopped').map(({ reason }) => reason)
    expect(reasons).toEqual(['its declaration changed', 'it is not declared any more'])
    expect((await up.stop()).code).toBe(0)
  })

  it('says what is wrong with a file, and lets what runs go on until it is right', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    await declare(home, { tunnels: [{ name: 'one', port: web.port }] })
    await using up = home.start('up', '--watch')
    await up.line(/beam:\/\//)
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one']), WAIT)
    const id = await idOf(home, 'one')
    await writeFile(join(home.path, 'beam.config.yaml'), 'tunnels:\n  - name: one\n    port: ninety\n')
    await vi.waitFor(() => expect(up.stderr).toContain('beam.config.yaml:3'), WAIT)
    await rm(join(home.path, 'beam.config.yaml'))
    await declare(home, {
      tunnels: [
        { name: 'one', port: web.port },
        { name: 'two', port: other.port },
      ],
    })
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one', 'two']), WAIT)
    expect(await idOf(home, 'one')).toBe(id)
    await vi.waitFor(() => expect(up.stderr).toContain('its tunnels are as it says now'), WAIT)
    expect((await up.stop()).code).toBe(0)
  })

  it('waits for tunnels that are not there yet, and for better settings of those that fail', async () => {
    using web = await service()
    await using home = await Home.make()
    await declare(home, { tunnels: [] })
    await using up = home.start('up', '--watch', '--json')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await writePackage(join(home.path, 'fog'), {
      'index.mjs': pluginCode('fog', { over: 'async startTunnel() { throw new Error("no wire") },' }),
    })
    const tunnels = [{ name: 'one', port: web.port, backends: ['fog'] }]
    await declare(home, { tunnels, plugins: ['./fog'], backends: [{ name: 'fog' }] })
    expect(await up.event('error')).toMatchObject({ message: expect.stringContaining('no wire') as string })
    await declare(home, { tunnels: [{ name: 'one', port: web.port }], backends: [{ name: 'mesh' }] })
    await up.event('ready')
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one']), WAIT)
    await up.stop()
  })

  it('gives new settings of a network to the tunnels on it, and to no other', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    await writePackage(join(home.path, 'fog'), { 'index.mjs': pluginCode('fog') })
    const tunnels = [
      { name: 'one', port: web.port, backends: ['mesh'] },
      { name: 'two', port: other.port, backends: ['fog'] },
    ]
    const config = (knots: number): object => ({
      tunnels,
      plugins: ['./fog'],
      backends: [{ name: 'mesh' }, { name: 'fog', config: { knots } }],
    })
    await declare(home, config(1))
    await using up = home.start('up', '--watch', '--json')
    await up.event('ready', 2)
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one', 'two']), WAIT)
    const before = [await idOf(home, 'one'), await idOf(home, 'two')]
    await declare(home, config(2))
    await up.event('ready', 3)
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one', 'two']), WAIT)
    expect(await idOf(home, 'one')).toBe(before[0])
    expect(await idOf(home, 'two')).not.toBe(before[1])
    expect((await up.stop()).code).toBe(0)
  })

  it('works with a daemon, and goes on without it when that is killed', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    const daemon = await home.startDaemon()
    const [one, two] = [
      { name: 'one', port: web.port },
      { name: 'two', port: other.port },
    ]
    await declare(home, { tunnels: [one] })
    await using up = home.start('up', '--watch', '--json')
    await up.event('ready')
    await declare(home, { tunnels: [one, two] })
    await up.event('ready', 2)
    expect((await home.list()).map(({ process: { role } }) => role)).toEqual(['daemon'])
    await crash(daemon)
    await up.event('ready', 4)
    expect(up.events.some(({ code }) => code === 'BEAM_WARN_DAEMON_LOST')).toBe(true)
    await declare(home, { tunnels: [two] })
    await vi.waitFor(async () => expect(await names(home)).toEqual(['two']), WAIT)
    expect((await up.stop()).code).toBe(0)
  })

  it('ends when somebody ends its last tunnel, as beam up does', async () => {
    using web = await service()
    await using home = await Home.make()
    await declare(home, { tunnels: [{ name: 'one', port: web.port }] })
    await using up = home.start('up', '--watch', '--json')
    await up.event('ready')
    await vi.waitFor(async () => expect(await names(home)).toEqual(['one']), WAIT)
    expect((await home.run('stop', 'one')).code).toBe(0)
    expect((await up.ended).code).toBe(0)
  })
})
