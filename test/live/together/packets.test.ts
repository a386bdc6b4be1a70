import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { daemonsOf } from '../tor/onion-scene.ts'
import { packetsSent, socketsOf, type OpenSocket } from '../tor/sockets.ts'
import { TogetherScene } from './together-scene.ts'

const flavor = requireTor()
const i2pd = requireProgram('i2pd', { apt: 'i2pd', brew: 'i2pd' })
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })
/** Every datagram, and the first packet of every TCP connection. */
const FILTER = 'udp or (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)'
/** Moves wait for checks that time out, and for lease sets, on a machine that is busy otherwise. */
const PATIENCE_MS = 120_000

/** Beam as users have it: nothing of the tests' settings keeps it from the network. */
const AS_USERS_HAVE_IT = { NODE_OPTIONS: undefined, BEAM_P2P_BOOTSTRAP: undefined, BEAM_P2P_MDNS: undefined, BEAM_P2P_PORTMAP: undefined }

describe.runIf(flavor && i2pd && namespace && tcpdump)('a tunnel on Tor and I2P alone', { timeout: 400_000 }, () => {
  let scene: TogetherScene
  let capture: ChildProcess
  let captured = ''
  const beams = new Set<BeamProcess>()
  const seen: OpenSocket[] = []
  const daemonPorts = new Set<number>()
  let watching: NodeJS.Timeout

  beforeAll(async () => {
    // This file runs in a namespace of its own: otherwise the default settings would take Beam to the public network.
    if (Object.keys(networkInterfaces()).join() !== 'lo') throw new Error('this is no namespace of its own')
    scene = await TogetherScene.open(flavor!)
    capture = spawn(tcpdump!, ['-i', 'any', '-n', '-l', '-q', '--immediate-mode', '-Z', 'root', FILTER], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    capture.stdout!.setEncoding('latin1').on('data', (text: string) => (captured += text))
    await once(capture.stderr!, 'data')
    watching = setInterval(() => {
      for (const { child } of beams) {
        seen.push(...socketsOf(child.pid))
        for (const daemon of daemonsOf(child.pid))
          for (const { listens, localPort } of socketsOf(daemon)) if (listens) daemonPorts.add(localPort)
      }
    }, 100)
  })
  afterAll(async () => {
    clearInterval(watching)
    capture.kill()
    await scene[Symbol.asyncDispose]()
  })

  const get = async (port: number): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) })).text()

  it('sends nothing of Beam’s own past them, neither when it is used nor when it moves', async () => {
    const port = await scene.scene.serve(createServer((_, response) => response.end('hidden')))
    const health = { probeEvery: '3s', probeTimeout: '5s', failAfter: '1s', recoverAfter: '6s' }
    const tunnel = { name: 'hidden', port, strategy: 'fallback', backends: ['tor', 'i2p'], allowExposure: true, health }
    const publisher = scene.up('publisher', [tunnel], AS_USERS_HAVE_IT)
    beams.add(publisher)
    const addressOn = (network: string): string =>
      String(publisher.events.findLast(({ event, backend }) => event === 'address' && backend === network)?.['address'])
    const visit = async (address: string): Promise<number> => {
      const { process, port: local } = await scene.scene.visit(address, [], { ...scene.place('visitor', 1).env, ...AS_USERS_HAVE_IT })
      beams.add(process)
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
    for (const { child } of beams) child.kill('SIGINT')
    await Promise.all([...beams].map(({ ended }) => ended))

    // No DNS, no DHT, no multicast, no port mapping, no direct connection: nothing took the way out, by whomever.
    expect(packetsSent('out0')).toBe(0)
    // The processes of Beam had no UDP socket, and spoke to Tor's daemons, to SAM, to the service and to their own listeners.
    expect(seen.length).toBeGreaterThan(100)
    expect(seen.filter(({ protocol }) => protocol === 'udp')).toEqual([])
    const own = seen.filter(({ listens }) => listens).map(({ localPort }) => localPort)
    const sam = scene.i2p.routers.map(({ place }) => place.samPort)
    const expected = new Set([...daemonPorts, ...own, ...sam, port])
    const spokenTo = seen.filter(({ listens, localPort }) => !listens && !own.includes(localPort)).map(({ remotePort }) => remotePort)
    expect([...new Set(spokenTo)].filter((remote) => !expected.has(remote))).toEqual([])
    expect(sam.some((remote) => spokenTo.includes(remote))).toBe(true)
    // Whoever sent it: no datagram at all, and no connection but to addresses of this machine.
    const destinations = [...captured.matchAll(/ > (\S+)\.\d+: (\w+)/g)].map(([, host, protocol]) => `${protocol} ${host}`)
    expect(destinations.length).toBeGreaterThan(20)
    expect([...new Set(destinations)].filter((one) => !/^tcp (127\.\d+\.\d+\.\d+|198\.18\.77\.\d+|::1)$/.test(one))).toEqual([])
  })

  it('would have been seen otherwise', async () => {
    const before = captured.length
    const program = `const s = require('node:dgram').createSocket('udp4'); s.send('x', 53, '198.51.100.1', () => s.close())`
    execFileSync(process.execPath, ['-e', program], { env: {} })
    expect(packetsSent('out0')).toBe(1)
    await vi.waitFor(() => expect(captured.slice(before)).toMatch(/ > 198\.51\.100\.1\.53: UDP/), 10_000)
  })
})
