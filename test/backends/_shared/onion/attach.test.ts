import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attachDaemon } from '../../../../backends/_shared/onion/daemon/attached-daemon.ts'
import { Supervisor } from '../../../../backends/_shared/onion/daemon/supervisor.ts'
import { TOR } from '../../../../backends/tor/flavour.ts'
import { TorBackend } from '../../../../backends/tor/index.ts'
import { silentLogger, systemClock, type BeamPaths, type Clock, type TunnelEvent } from '../../../../core/index.ts'
import { testPaths } from '../../../helpers/mesh.ts'
import { FakeControlPort, JOINED } from './fake-control-port.ts'

const undo: Array<() => unknown> = []
let paths: BeamPaths & AsyncDisposable
beforeEach(async () => {
  paths = await testPaths()
})
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
  await paths[Symbol.asyncDispose]()
})

/** Short waits are shorter still. */
const hasty: Clock = { ...systemClock, after: (ms, fire, options) => systemClock.after(ms <= 2_000 ? ms / 50 : ms, fire, options) }

function backend(config: Partial<ConstructorParameters<typeof TorBackend>[0]['config']>): TorBackend {
  const defaults = { non_anonymous: false, pow: false, self_check: false, stall_seconds: 120 }
  const made = new TorBackend({ config: { ...defaults, ...config }, paths, logger: silentLogger, clock: hasty })
  undo.push(() => made[Symbol.asyncDispose]())
  return made
}

async function fakePort(...args: Parameters<typeof FakeControlPort.listen>): Promise<FakeControlPort> {
  const fake = await FakeControlPort.listen(...args)
  undo.push(() => fake[Symbol.asyncDispose]())
  return fake
}

/** What a daemon's SOCKS port says to somebody who does not speak SOCKS, and to somebody who does. */
async function socksPort(): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => {
      if (data[0] === 5) socket.write(Uint8Array.of(5, 2))
      else socket.end('HTTP/1.0 501 Tor is not an HTTP Proxy\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

/** A daemon that uploads the descriptor of every service at once. */
const publishes: Parameters<typeof FakeControlPort.listen>[0] = (line) => {
  if (!line.startsWith('ADD_ONION')) return JOINED[line] ?? '250 OK\r\n'
  return `250-ServiceID=x\r\n250 OK\r\n`
}

describe('ports of a running daemon', () => {
  it('that were exchanged are noticed, and it is said how to write them', async () => {
    const control = await fakePort()
    const socks = await socksPort()
    await expect(backend({ tor_port: control.port, control_port: socks }).initialize()).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('exchanged') as string,
      hint: `Write tor_port: ${socks} and control_port: ${control.port}.`,
    })
  })

  it('of which one is the control port under the other’s name are noticed', async () => {
    const control = await fakePort()
    const free = await fakePort()
    const { port } = free
    await free[Symbol.asyncDispose]()
    await expect(backend({ tor_port: control.port, control_port: port }).initialize()).rejects.toMatchObject({
      kind: 'config',
      hint: expect.stringContaining(`control_port: ${control.port}`) as string,
    })
  })

  it('of which the control port speaks SOCKS are noticed', async () => {
    await expect(backend({ control_port: await socksPort() }).initialize()).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('is a SOCKS port') as string,
    })
  })

  it('that hangs up at once is no control port, and it is said what to check', async () => {
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    undo.push(() => server.close())
    const { port } = server.address() as AddressInfo
    await expect(backend({ control_port: port }).initialize()).rejects.toMatchObject({
      code: 'BEAM_ERR_CONTROL_PORT',
      message: expect.stringContaining(`127.0.0.1:${port} does not answer as one`) as string,
      hint: expect.stringContaining('Check') as string,
    })
  })

  it('where something else listens end in an error, and in nothing left', async () => {
    const fake = await fakePort(() => 'SSH-2.0-OpenSSH\r\n')
    await expect(backend({ control_port: fake.port }).initialize()).rejects.toMatchObject({
      kind: 'protocol',
      code: 'BEAM_ERR_CONTROL_PORT',
    })
    await expect.poll(() => fake.connections).toBe(0)
  })
})

describe('a service at a daemon that runs already', () => {
  async function published(events: TunnelEvent[] = []): Promise<{ made: TorBackend; fake: FakeControlPort; id: string }> {
    const fake = await fakePort(publishes)
    const made = backend({ control_port: fake.port })
    await made.initialize()
    let id = ''
    const onEvent = (event: TunnelEvent): void => {
      events.push(event)
      if (event.type === 'address') id = /[a-z2-7]{56}/.exec(event.address)?.[0] ?? ''
      if (event.type === 'progress' && event.phase === 'publishing') fake.say(`650 HS_DESC UPLOADED ${id} UNKNOWN $${'A'.repeat(40)}~x\r\n`)
    }
    await made.startTunnel(3000, { name: 'web', onEvent })
    return { made, fake, id }
  }

  it('is added without leaving anything to the daemon, and taken back', async () => {
    const { made, fake, id } = await published()
    const [line = ''] = fake.lines.filter((one) => one.startsWith('ADD_ONION'))
    expect(line).toMatch(/^ADD_ONION ED25519-V3:\S+ Flags=DiscardPK Port=80,127\.0\.0\.1:3000$/)
    const { tunnels } = await made.getStatus()
    expect(tunnels[0]?.endpoints).toMatchObject([{ address: `http://${id}.onion`, state: 'active' }])
    await made.stopTunnel(tunnels[0]?.id ?? '')
    expect(fake.lines).toContain(`DEL_ONION ${id}`)
    expect(fake.lines.some((one) => /^(SETCONF|RESETCONF|SIGNAL|TAKEOWNERSHIP|SAVECONF)/.test(one))).toBe(false)
  })

  it('comes back with the same key when the control connection was cut, and its state is told meanwhile', async () => {
    const events: TunnelEvent[] = []
    const { fake, id } = await published(events)
    fake.cut()
    await expect.poll(() => fake.lines.filter((line) => line.startsWith('ADD_ONION')).length, { timeout: 10_000 }).toBe(2)
    const [first, second] = fake.lines.filter((line) => line.startsWith('ADD_ONION'))
    expect(second).toBe(first)
    fake.say(`650 HS_DESC UPLOADED ${id} UNKNOWN x\r\n`)
    await expect
      .poll(() => events.flatMap((event) => (event.type === 'state' ? [event.state] : [])), { timeout: 10_000 })
      .toEqual(['active', 'down', 'active'])
  })

  it('that others published there already is left alone', async () => {
    const other = await published()
    await other.made[Symbol.asyncDispose]()
    const fake = await fakePort((line) =>
      line === 'GETINFO onions/detached' ? `250-onions/detached=${other.id}\r\n250 OK\r\n` : publishes(line, undefined as never),
    )
    const made = backend({ control_port: fake.port })
    await made.initialize()
    await expect(made.startTunnel(3000, { name: 'web' })).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_IN_USE' })
    expect(fake.lines.some((line) => /^(ADD|DEL)_ONION/.test(line))).toBe(false)
  })

  it('that asks for what the daemon cannot do fails once, with what to do', async () => {
    const fake = await fakePort((line) =>
      line.startsWith('ADD_ONION')
        ? '512 Bad arguments to ADD_ONION: Unrecognized keyword argument "PoWDefensesEnabled"\r\n'
        : publishes(line, undefined as never),
    )
    const made = backend({ control_port: fake.port })
    await made.initialize()
    await expect(made.startTunnel(3000, { network: { pow: true } })).rejects.toMatchObject({ kind: 'unsupported' })
    expect(fake.lines.filter((line) => line.startsWith('ADD_ONION'))).toHaveLength(1)
    expect((await made.getStatus()).tunnels).toEqual([])
  })

  it('that is protected has a key of its own for the check, and stays closed without visitors', async () => {
    const { made, fake, id } = await published()
    await made.operate('auth-add', { service: 'web', client: 'alice', publicKey: 'dvrlqt5p3wygqymzt6nb2ev5cnk2vsulg4z3mo6q7yhhyxqyjzda' })
    await expect.poll(() => fake.lines.filter((line) => line.startsWith('ADD_ONION')).length).toBe(2)
    expect(fake.lines.findLast((line) => line.startsWith('ADD_ONION'))).toContain('V3Auth')
    await made.operate('auth-remove', { service: 'web', client: 'alice' })
    await expect.poll(() => fake.lines.filter((line) => line.startsWith('ADD_ONION')).length).toBe(3)
    const last = fake.lines.findLast((line) => line.startsWith('ADD_ONION')) ?? ''
    expect(last).toMatch(/ClientAuthV3=[a-z2-7]{52}$/)
    expect(last).not.toContain('dvrlqt5p3w')
    expect(id).not.toBe('')
  })

  it('is looked at again when the machine was asleep', async () => {
    let beat = (): void => {}
    let now = 0
    const clock = { ...systemClock, now: () => now, every: (_: number, tick: () => void) => ((beat = tick), () => {}) }
    const fake = await fakePort(publishes)
    const supervisor = new Supervisor({
      open: (signal) => attachDaemon({ flavour: TOR, config: { control_port: fake.port }, clock }, signal),
      clock,
      logger: silentLogger,
    })
    undo.push(() => supervisor.close())
    const heard: string[] = []
    supervisor.subscribe(({ type }) => heard.push(type))
    await supervisor.start()
    beat()
    now += 15_000
    beat()
    expect(heard).not.toContain('woke')
    now += 3_600_000
    beat()
    expect(heard).toContain('woke')
    await expect.poll(() => fake.lines.filter((line) => line === 'GETINFO uptime').length).toBe(3)
  })
})
