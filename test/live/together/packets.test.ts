import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { packetsSent } from '../tor/sockets.ts'
import { AS_USERS_HAVE_IT, assertNamespace, WireWatch } from '../tor/wire-watch.ts'
import { TogetherScene } from './together-scene.ts'

const flavor = requireTor()
const i2pd = requireProgram('i2pd', { apt: 'i2pd', brew: 'i2pd' })
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })
/** Moves wait for checks that time out, and for lease sets, on a machine that is busy otherwise. */
const PATIENCE_MS = 120_000

describe.runIf(flavor && i2pd && namespace && tcpdump)('a tunnel on Tor and I2P alone', { timeout: 400_000 }, () => {
  let scene: TogetherScene
  let watch: WireWatch

  beforeAll(async () => {
    assertNamespace()
    scene = await TogetherScene.open(flavor!)
    watch = await WireWatch.start(tcpdump!)
  })
  afterAll(async () => {
    await watch[Symbol.asyncDispose]()
    await scene[Symbol.asyncDispose]()
  })

  const get = async (port: number): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) })).text()

  it('sends nothing of Beam’s own past them, neither when it is used nor when it moves', async () => {
    const port = await scene.scene.serve(createServer((_, response) => response.end('hidden')))
    const health = { probeEvery: '3s', probeTimeout: '5s', failAfter: '1s', recoverAfter: '6s' }
    const tunnel = { name: 'hidden', port, strategy: 'fallback', backends: ['tor', 'i2p'], allowExposure: true, health }
    const publisher = watch.add(scene.up('publisher', [tunnel], AS_USERS_HAVE_IT))
    const addressOn = (network: string): string =>
      String(publisher.events.findLast(({ event, backend }) => event === 'address' && backend === network)?.['address'])
    const visit = async (address: string): Promise<number> => {
      const { process, port: local } = await scene.scene.visit(address, [], { ...scene.place('visitor', 1).env, ...AS_USERS_HAVE_IT })
      watch.add(process)
      return local
    }
    const moved = async (...to: readonly string[]): Promise<void> => {
      const moves = (): unknown[] => publisher.events.flatMap((line) => (line.event === 'failover' ? [line['to']] : []))
      await vi.waitFor(() => expect(moves()).toEqual(to), { timeout: PATIENCE_MS, interval: 100 })
    }
    await publisher.event('ready')
    const overTor = await visit(addressOn('tor'))
    expect(await get(overTor)).toBe('hidden')
    for (const { child } of scene.onion.relays) child.kill('SIGSTOP')
    try {
      await moved('i2p')
      expect(await get(await visit(addressOn('i2p')))).toBe('hidden')
    } finally {
      for (const { child } of scene.onion.relays) child.kill('SIGCONT')
    }
    await moved('i2p', 'tor')
    await vi.waitFor(async () => expect(await get(overTor)).toBe('hidden'), { timeout: PATIENCE_MS, interval: 500 })
    await watch.endAll()

    // No DNS, no DHT, no multicast, no port mapping, no direct connection: nothing took the way out, by whomever.
    expect(packetsSent('out0')).toBe(0)
    // The processes of Beam had no UDP socket, and spoke to Tor's daemons, to SAM, to the service and to their own listeners.
    const { seen, daemonPorts } = watch
    expect(seen.length).toBeGreaterThan(100)
    expect(seen.filter(({ protocol }) => protocol === 'udp')).toEqual([])
    const own = seen.filter(({ listens }) => listens).map(({ localPort }) => localPort)
    const sam = scene.i2p.routers.map(({ place }) => place.samPort)
    const expected = new Set([...daemonPorts, ...own, ...sam, port])
    const spokenTo = seen.filter(({ listens, localPort }) => !listens && !own.includes(localPort)).map(({ remotePort }) => remotePort)
    expect([...new Set(spokenTo)].filter((remote) => !expected.has(remote))).toEqual([])
    expect(sam.some((remote) => spokenTo.includes(remote))).toBe(true)
    // Whoever sent it: no datagram at all, and no connection but to addresses of this machine.
    const destinations = watch.destinations.map(({ host, protocol }) => `${protocol} ${host}`)
    expect(destinations.length).toBeGreaterThan(20)
    expect([...new Set(destinations)].filter((one) => !/^tcp (127\.\d+\.\d+\.\d+|198\.18\.77\.\d+|::1)$/.test(one))).toEqual([])
  })

  it('would have been seen otherwise', async () => {
    expect(await watch.seesWayOut()).toBe(true)
  })
})
