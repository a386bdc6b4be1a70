import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialMesh } from '../../../backends/anonet/dial-mesh.ts'
import { AnonetBackend, type AnonetConfig } from '../../../backends/anonet/index.ts'
import { meshAddresses, chooseAddress } from '../../../backends/anonet/attached/find-address.ts'
import { parsePrefix, type Prefix } from '../../../backends/anonet/mesh-address.ts'
import type { Mesh } from '../../../backends/anonet/mesh.ts'
import { parsePublishWishes } from '../../../backends/anonet/publish-options.ts'
import { Published } from '../../../backends/anonet/published.ts'
import { TrafficCount } from '../../../backends/anonet/traffic.ts'
import { silentLogger, systemClock, type TunnelEvent } from '../../../core/index.ts'

const RANGE = parsePrefix('21.0.0.0/8') as Prefix
let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'beam-x-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

function backend(config: Partial<AnonetConfig> = {}): AnonetBackend {
  return new AnonetBackend({
    config: { mode: 'auto', range: '21.0.0.0/8', listenPort: 41_820, bfdMs: 100, holdSeconds: 9, ...config },
    paths: { config: join(home, 'c'), data: join(home, 'd'), state: join(home, 's'), runtime: join(home, 'r') },
    logger: silentLogger,
    clock: systemClock,
  })
}

/** A mesh on loopback, for what needs none. */
function loopback(): Mesh {
  const listen = (port: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer().once('error', reject)
      server.listen({ host: '127.0.0.1', port }, () => resolve(server))
    })
  return {
    address: '127.0.0.1',
    version: undefined,
    onLost: () => {},
    onRestart: () => {},
    health: async () => ({ reachable: true, reason: 'connected to 1 friend', sessions: [] }),
    listen,
    connect: async () => {
      throw Object.assign(new Error('no route'), { code: 'ENETUNREACH' })
    },
    status: async () => ({}),
    [Symbol.asyncDispose]: async () => {},
  }
}

describe('a machine without a mesh', () => {
  it('is told how to get one', async () => {
    await using anonet = backend()
    await expect(anonet.initialize()).rejects.toMatchObject({
      kind: 'unavailable',
      hint: expect.stringContaining('beam anonet invite') as string,
    })
    await expect(anonet.startTunnel(3000)).rejects.toMatchObject({ kind: 'unavailable' })
    expect((await anonet.getStatus()).state).toBe('failed')
    expect(await anonet.operate('status')).toMatchObject({ state: 'failed' })
  })

  it('is told what an address needs', () => {
    const lo = (...addresses: string[]): Parameters<typeof meshAddresses>[0] => ({
      lo: addresses.map((address) => ({ address, internal: true, family: 'IPv4', netmask: '', mac: '', cidr: null })),
    })
    expect(() => chooseAddress(meshAddresses(lo('127.0.0.1', '21.255.0.1'), RANGE), undefined, RANGE)).toThrow(
      /no address in the mesh \(21\.0\.0\.0\/8\)/,
    )
    expect(chooseAddress(meshAddresses(lo('127.0.0.1', '21.1.0.1'), RANGE), undefined, RANGE)).toBe('21.1.0.1')
    expect(() => chooseAddress(meshAddresses(lo('21.1.0.1', '21.2.0.1'), RANGE), undefined, RANGE)).toThrow(/several addresses/)
    expect(chooseAddress(meshAddresses(lo('21.1.0.1', '21.2.0.1'), RANGE), '21.2.0.1', RANGE)).toBe('21.2.0.1')
    expect(() => chooseAddress([], '21.2.0.1', RANGE)).toThrow(/is no address of this machine/)
  })
})

describe('options of a tunnel', () => {
  it('are a port and who may come', () => {
    expect(parsePublishWishes({ friendToFriend: true, port: 80, sources: ['21.2.0.0/24', '21.3.0.1'] })).toEqual({
      port: 80,
      sources: [parsePrefix('21.2.0.0/24'), parsePrefix('21.3.0.1/32')],
    })
    expect(parsePublishWishes()).toEqual({})
  })

  it.each([
    [{ prot: 1 }],
    [{ friendToFriend: false }],
    [{ port: 0 }],
    [{ port: '80' }],
    [{ sources: [] }],
    [{ sources: ['all'] }],
    [{ sources: '21.0.0.0/8' }],
  ])('%j is refused', (options) => expect(() => parsePublishWishes(options)).toThrow(expect.objectContaining({ kind: 'config' }) as Error))
})

describe('a published service', () => {
  const publish = (mesh: Mesh, onEvent: (event: TunnelEvent) => void = () => {}): Published =>
    new Published({
      mesh,
      sources: undefined,
      handler: (stream) => stream.destroy(),
      traffic: new TrafficCount(),
      logger: silentLogger,
      onEvent,
    })

  it('takes the next port when the first is taken, and says so when there is no other', async () => {
    const mesh = loopback()
    const first = publish(mesh)
    await first.listen([0])
    const second = publish(mesh)
    await second.listen([first.port, 0])
    expect(second.port).not.toBe(first.port)
    await expect(publish(mesh).listen([first.port])).rejects.toMatchObject({
      code: 'BEAM_ERR_PORT_IN_USE',
      hint: expect.stringContaining('127.0.0.1') as string,
    })
    await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()])
  })

  it('listens again at the same port after the mesh was lost', async () => {
    const published = publish(loopback())
    await published.listen([0])
    const { port } = published
    await published.listenAgain()
    expect(published.port).toBe(port)
    await published[Symbol.asyncDispose]()
  })

  it('is announced until it was reachable once, and down after that', async () => {
    const events: TunnelEvent[] = []
    const published = publish(loopback(), (event) => events.push(event))
    await published.listen([0])
    for (const reachable of [false, true, true, false, true]) published.heard({ reachable, reason: String(reachable), sessions: [] })
    expect(events.map((event) => event.type === 'state' && event.state)).toEqual(['active', 'down', 'active'])
    await published[Symbol.asyncDispose]()
  })
})

describe('a visit', () => {
  const parts = {
    range: RANGE,
    mesh: loopback(),
    clock: { ...systemClock, monotonic: ticking() },
    health: () => ({ reachable: false, reason: 'no friend answers at present', sessions: [] }),
  }

  it('says whose side it is when there is no way', async () => {
    await expect(dialMesh('http://21.9.0.1:80', {}, parts)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('no friend answers') as string,
    })
    const reachable = { ...parts, health: () => ({ reachable: true, reason: '', sessions: [] }) }
    await expect(dialMesh('http://21.9.0.1:80', {}, reachable)).rejects.toMatchObject({ kind: 'unreachable', code: 'BEAM_ERR_NOT_FOUND' })
  })

  it('refuses what it does not know', async () => {
    await expect(dialMesh('http://22.9.0.1:80', {}, parts)).rejects.toMatchObject({ code: 'BEAM_ERR_ADDRESS_INVALID' })
    await expect(dialMesh('http://21.9.0.1:80', { network: { authKey: 'x' } }, parts)).rejects.toMatchObject({ kind: 'config' })
    await expect(dialMesh('http://21.9.0.1:80', { secret: 'x' }, parts)).rejects.toMatchObject({ kind: 'unsupported' })
  })
})

/** Each look at it is five seconds later. */
function ticking(): () => number {
  let now = 0
  return () => (now += 5_000)
}
