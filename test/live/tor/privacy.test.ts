import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { WAY_OUT } from '../way-out.ts'
import { daemonsOf, OnionScene } from './onion-scene.ts'
import { packetsSent, socketsOf, type OpenSocket } from './sockets.ts'

const flavor = requireTor()
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })
/** Every datagram, and the first packet of every TCP connection. */
const FILTER = 'udp or (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)'

/** Beam as users have it: nothing of the tests' settings keeps it from the network. */
const AS_USERS_HAVE_IT = { NODE_OPTIONS: undefined, BEAM_P2P_BOOTSTRAP: undefined, BEAM_P2P_MDNS: undefined, BEAM_P2P_PORTMAP: undefined }

describe.runIf(flavor && namespace && tcpdump)('what beam --tor sends', () => {
  let scene: OnionScene
  let capture: ChildProcess
  let captured = ''
  const beams = new Set<BeamProcess>()
  const seen: OpenSocket[] = []
  let watching: NodeJS.Timeout

  beforeAll(async () => {
    // This file runs in a namespace of its own: otherwise the default settings would take Beam to the public network.
    if (Object.keys(networkInterfaces()).join() !== 'lo') throw new Error('there is more than loopback here')
    execFileSync('sh', ['-ec', WAY_OUT.join('\n')])
    scene = await OnionScene.open(flavor!)
    capture = spawn(tcpdump!, ['-i', 'any', '-n', '-l', '-q', '--immediate-mode', '-Z', 'root', FILTER], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    capture.stdout!.setEncoding('latin1').on('data', (text: string) => (captured += text))
    await once(capture.stderr!, 'data')
    watching = setInterval(() => {
      for (const beam of beams) seen.push(...socketsOf(beam.child.pid))
    }, 50)
  })
  afterAll(async () => {
    clearInterval(watching)
    capture.kill()
    await scene[Symbol.asyncDispose]()
  })

  it('is what its daemon sends, and nothing else', async () => {
    const port = await scene.serve('hidden')
    const publisher = scene.scene.beam([String(port), '--tor', '--name', 'hidden'], { ...AS_USERS_HAVE_IT, BEAM_HOME: scene.home('home') })
    beams.add(publisher)
    const { tunnel } = (await publisher.event('ready')) as unknown as { tunnel: { endpoints: { address: string }[] } }
    const address = tunnel.endpoints[0]!.address
    const visitor = scene.scene.beam(['connect', address], { ...AS_USERS_HAVE_IT, BEAM_HOME: scene.home('visitor') })
    beams.add(visitor)
    const { port: local } = (await visitor.event('listening')) as unknown as { port: number }
    expect(await (await fetch(`http://127.0.0.1:${local}/`)).text()).toBe('hidden')

    const daemons = beamDaemons().flatMap((pid) => socketsOf(pid))
    const relays = scene.network.relays.flatMap(({ child }) => socketsOf(child.pid))
    const listeners = new Set([...daemons, ...relays].filter(({ listens }) => listens).map(({ localPort }) => localPort))
    for (const { child } of beams) child.kill('SIGINT')
    await Promise.all([...beams].map(({ ended }) => ended))

    // Nothing took the way out: no DNS, no DHT, no multicast, no port mapping, no direct connection.
    expect(packetsSent('out0')).toBe(0)
    // The processes of Beam spoke to their daemons, to the service and, the visitor's, to its local port; they had no UDP socket, and no other listener.
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter(({ protocol }) => protocol === 'udp')).toEqual([])
    expect(new Set(seen.filter(({ listens }) => listens).map(({ localPort }) => localPort))).toEqual(new Set([local]))
    const spokenTo = seen.filter(({ listens, localPort }) => !listens && localPort !== local).map(({ remotePort }) => remotePort)
    const others = spokenTo.filter((remote) => remote !== port)
    expect(others.filter((remote) => !daemons.some(({ listens, localPort }) => listens && localPort === remote))).toEqual([])
    // Whoever sent it: no datagram at all, and no connection but to relays, daemons, the service and the visitor's local port.
    const destinations = [...captured.matchAll(/ > (\S+)\.(\d+): (\w+)/g)].map(([, host, to, protocol]) => ({
      host,
      port: Number(to),
      protocol,
    }))
    expect(destinations.length).toBeGreaterThan(10)
    expect(destinations.filter(({ protocol }) => protocol !== 'tcp')).toEqual([])
    const elsewhere = destinations.filter((to) => !listeners.has(to.port) && to.port !== port && to.port !== local)
    expect(elsewhere).toEqual([])
  })

  it('would have been seen otherwise', async () => {
    const before = captured.length
    const program = `const s = require('node:dgram').createSocket('udp4'); s.send('x', 53, '198.51.100.1', () => s.close())`
    execFileSync(process.execPath, ['-e', program], { env: {} })
    expect(packetsSent('out0')).toBe(1)
    await vi.waitFor(() => expect(captured.slice(before)).toMatch(/ > 198\.51\.100\.1\.53: UDP/), 10_000)
  })

  function beamDaemons(): number[] {
    return [...beams].flatMap(({ child }) => daemonsOf(child.pid))
  }
})
