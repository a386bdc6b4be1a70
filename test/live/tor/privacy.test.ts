import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { WAY_OUT } from '../way-out.ts'
import { daemonsOf, OnionScene } from './onion-scene.ts'
import { packetsSent, socketsOf } from './sockets.ts'
import { AS_USERS_HAVE_IT, assertNamespace, WireWatch } from './wire-watch.ts'

const flavor = requireTor()
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })

describe.runIf(flavor && namespace && tcpdump)('what beam --tor sends', () => {
  let scene: OnionScene
  let watch: WireWatch

  beforeAll(async () => {
    assertNamespace()
    execFileSync('sh', ['-ec', WAY_OUT.join('\n')])
    scene = await OnionScene.open(flavor!)
    watch = await WireWatch.start(tcpdump!)
  })
  afterAll(async () => {
    await watch[Symbol.asyncDispose]()
    await scene[Symbol.asyncDispose]()
  })

  it('is what its daemon sends, and nothing else', async () => {
    const port = await scene.serve('hidden')
    const beam = (args: readonly string[], home: string): ReturnType<typeof watch.add> =>
      watch.add(scene.scene.beam(args, { ...AS_USERS_HAVE_IT, BEAM_HOME: scene.home(home) }))
    const publisher = beam([String(port), '--tor', '--name', 'hidden'], 'home')
    const { tunnel } = (await publisher.event('ready')) as unknown as { tunnel: { endpoints: { address: string }[] } }
    const address = tunnel.endpoints[0]!.address
    const visitor = beam(['connect', address], 'visitor')
    const { port: local } = (await visitor.event('listening')) as unknown as { port: number }
    expect(await (await fetch(`http://127.0.0.1:${local}/`)).text()).toBe('hidden')

    const daemons = [publisher, visitor].flatMap(({ child }) => daemonsOf(child.pid)).flatMap((pid) => socketsOf(pid))
    const relays = scene.network.relays.flatMap(({ child }) => socketsOf(child.pid))
    const listeners = new Set([...daemons, ...relays].filter(({ listens }) => listens).map(({ localPort }) => localPort))
    await watch.endAll()

    // Nothing took the way out: no DNS, no DHT, no multicast, no port mapping, no direct connection.
    expect(packetsSent('out0')).toBe(0)
    // The processes of Beam spoke to their daemons, to the service and, the visitor's, to its local port; they had no UDP socket, and no other listener.
    const { seen, destinations } = watch
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter(({ protocol }) => protocol === 'udp')).toEqual([])
    expect(new Set(seen.filter(({ listens }) => listens).map(({ localPort }) => localPort))).toEqual(new Set([local]))
    const spokenTo = seen.filter(({ listens, localPort }) => !listens && localPort !== local).map(({ remotePort }) => remotePort)
    const others = spokenTo.filter((remote) => remote !== port)
    expect(others.filter((remote) => !daemons.some(({ listens, localPort }) => listens && localPort === remote))).toEqual([])
    // Whoever sent it: no datagram at all, and no connection but to relays, daemons, the service and the visitor's local port.
    expect(destinations.length).toBeGreaterThan(10)
    expect(destinations.filter(({ protocol }) => protocol !== 'tcp')).toEqual([])
    const elsewhere = destinations.filter((to) => !listeners.has(to.port) && to.port !== port && to.port !== local)
    expect(elsewhere).toEqual([])
  })

  it('would have been seen otherwise', async () => {
    expect(await watch.seesWayOut()).toBe(true)
  })
})
