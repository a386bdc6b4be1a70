import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeKey } from '../../../core/identity/address.ts'
import { beam, BeamProcess } from '../../cli/beam-process.ts'
import { startDhtTestnet, type DhtTestnet } from '../../helpers/dht-testnet.ts'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { WAY_OUT } from '../way-out.ts'
import { daemonsOf, OnionScene } from './onion-scene.ts'
import { socketsOf } from './sockets.ts'
import { assertNamespace } from './wire-watch.ts'

const flavor = requireTor()
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })
/** Node records are announced and registered within seconds; so would the tunnel's be. */
const ANNOUNCED_MS = 8_000
/** What nobody else would write. */
const NAME = 'the-hidden-place'

describe.runIf(flavor && namespace && tcpdump)('beam --tor with a node of the mesh beside it', () => {
  let scene: OnionScene
  let dht: DhtTestnet
  let node: BeamProcess
  let peer: string
  let port: number
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    // This file runs in a namespace of its own: otherwise the default settings would take Beam to the local network.
    assertNamespace()
    execFileSync('sh', ['-ec', WAY_OUT.join('\n')])
    scene = await OnionScene.open(flavor!)
    dht = await startDhtTestnet(6)
    // As users have it, but for the bootstrap nodes: multicast and port mapping are on.
    env = { NODE_OPTIONS: undefined, BEAM_P2P_MDNS: undefined, BEAM_P2P_PORTMAP: undefined, BEAM_P2P_BOOTSTRAP: dht.bootstrap.join() }
    port = await scene.serve('hidden')
    node = new BeamProcess(['node', '--bind', '127.0.0.1', '--json'], {
      folder: scene.scene.folder,
      env: { ...env, BEAM_HOME: scene.home('peer') },
    })
    peer = ((await node.event('node')) as unknown as { addresses: string[] }).addresses[0]!
  })
  afterAll(async () => {
    await node[Symbol.asyncDispose]()
    await dht.close()
    await scene[Symbol.asyncDispose]()
  })

  /** What the linked node holds: records that gossip brought, and those that were registered with it. */
  const heldByPeer = async (): Promise<{ records: number; registered: number }> => {
    const { stdout } = await beam(['network', 'status', '--json'], scene.scene.folder, { ...env, BEAM_HOME: scene.home('peer') })
    const [instance] = (JSON.parse(stdout) as { instances: { records: number; registered: number }[] }).instances
    return { records: instance!.records, registered: instance!.registered }
  }

  /** Publishes until all has been announced; what went over any interface meanwhile, and whom the process spoke to. */
  async function announced(flags: readonly string[], home: string): Promise<Announced> {
    const file = join(scene.scene.folder, `${home}.pcap`)
    const capture = await startCapture(file)
    const publisher = scene.scene.beam([String(port), '--name', NAME, '--p2p-mode', 'routing', '--p2p-peers', peer, ...flags], {
      ...env,
      BEAM_HOME: scene.home(home),
    })
    const spokenTo = new Set<string>()
    const daemonPorts = new Set<number>()
    const watching = setInterval(() => {
      const sockets = socketsOf(publisher.child.pid)
      const own = new Set(sockets.filter(({ listens }) => listens).map(({ localPort }) => localPort))
      const daemons = daemonsOf(publisher.child.pid).flatMap((pid) => socketsOf(pid))
      for (const { listens, localPort } of daemons) if (listens) daemonPorts.add(localPort)
      for (const { protocol, listens, localPort, remotePort } of sockets)
        if (protocol === 'tcp' && !listens && !own.has(localPort))
          spokenTo.add(daemonPorts.has(remotePort) ? 'its daemon' : `port ${remotePort}`)
    }, 50)
    await publisher.event('ready')
    const onion = await addressOn(publisher)
    await delay(ANNOUNCED_MS)
    await expect.poll(async () => (await heldByPeer()).registered, { timeout: 30_000, interval: 500 }).toBeGreaterThan(0)
    const held = await heldByPeer()
    clearInterval(watching)
    await publisher.stop()
    capture.kill()
    await once(capture, 'exit')
    return { publisher, onion, held, spokenTo, sent: withoutPorts(file, daemonPorts), outside: destinations(file) }
  }

  it('shows the node, and nothing that leads from it to the tunnel', async () => {
    const { publisher, onion, held, spokenTo, sent, outside } = await announced(['--tor'], 'hiding')
    const warning = publisher.events.find(({ code }) => code === 'BEAM_WARN_JOINED')
    const key = /node (\w{56})/.exec(String(warning?.['message']))?.[1] ?? ''

    // The node is announced in the DHT and held by its peer: whatever is announced is seen here.
    expect(sent.includes(decodeKey('node', key)!)).toBe(true)
    expect(held).toEqual({ records: 1, registered: 1 })
    // Nothing of the tunnel is, in no packet of anybody.
    expect(sent.includes(onion)).toBe(false)
    expect(sent.includes(NAME)).toBe(false)
    // Sockets are looked at now and then: one that was open for a moment only may be missing, none may be another.
    const allowed = ['its daemon', `port ${portOf(peer)}`, `port ${port}`]
    expect([...spokenTo].filter((whom) => !allowed.includes(whom))).toEqual([])
    expect([...spokenTo]).toContain('its daemon')
    expect(outside.filter((to) => !ALLOWED_OUTSIDE.test(to))).toEqual([])
  })

  it('would have been seen otherwise: with --allow-exposure the record of the service has both addresses', async () => {
    const { onion, held, sent } = await announced(['--backends', 'mesh,tor', '--strategy', 'load-balance', '--allow-exposure'], 'showing')
    expect(sent.includes(onion)).toBe(true)
    expect(held.records).toBeGreaterThan(1)
  })
})

interface Announced {
  readonly publisher: BeamProcess
  /** Without its suffix. */
  readonly onion: string
  readonly held: { readonly records: number; readonly registered: number }
  readonly spokenTo: ReadonlySet<string>
  /** All packets but those between Beam and its daemon. */
  readonly sent: Buffer
  readonly outside: readonly string[]
}

/** What the node may send past loopback: questions on the local network and to its router for a port (docs/privacy.md, mesh). */
const ALLOWED_OUTSIDE = /^(224\.0\.0\.251\.5353|239\.255\.255\.250\.1900|192\.0\.2\.2\.5351)$/

async function startCapture(file: string): Promise<ChildProcess> {
  const capture = spawn(tcpdump!, ['-i', 'any', '-n', '-U', '-s', '0', '--immediate-mode', '-Z', 'root', '-w', file, 'ip or ip6'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(capture.stderr!, 'data')
  return capture
}

/** What was captured, without what went to and from these ports. */
function withoutPorts(file: string, ports: ReadonlySet<number>): Buffer {
  const kept = `${file}.kept`
  const filter = `not (${[...ports].map((port) => `tcp port ${port}`).join(' or ')})`
  execFileSync(tcpdump!, ['-n', '-r', file, '-w', kept, filter], { stdio: 'ignore' })
  return readFileSync(kept)
}

/** Where datagrams and connections went that did not stay on loopback. */
function destinations(file: string): string[] {
  const filter = '(udp or (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)) and not dst net 127.0.0.0/8 and not dst host ::1'
  const lines = execFileSync(tcpdump!, ['-n', '-q', '-r', file, filter], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] })
  return [...new Set([...lines.matchAll(/ > (\S+): /g)].map(([, to]) => to ?? ''))]
}

async function addressOn(publisher: BeamProcess): Promise<string> {
  const found = (): string | undefined =>
    publisher.events
      .flatMap(({ event, address }) => (event === 'address' ? [/[a-z2-7]{56}(?=\.onion)/.exec(String(address))?.[0]] : []))
      .find(Boolean)
  await vi.waitFor(() => expect(found()).toBeDefined(), 60_000)
  return found() ?? ''
}

function portOf(address: string): string {
  return address.split(':').at(-1) ?? ''
}
