import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BeamProcess, type JsonLine } from '../../cli/beam-process.ts'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { packetsSent } from '../tor/sockets.ts'
import { AS_USERS_HAVE_IT, assertNamespace, WireWatch } from '../tor/wire-watch.ts'
import { TogetherScene } from './together-scene.ts'

const flavor = requireTor()
const i2pd = requireProgram('i2pd', { apt: 'i2pd', brew: 'i2pd' })
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })
/** Two networks have to lead there, on a machine that is busy otherwise. */
const PATIENCE_MS = 240_000

describe.runIf(flavor && i2pd && namespace && tcpdump)('a meeting place behind Tor and I2P', { timeout: 600_000 }, () => {
  let scene: TogetherScene
  let watch: WireWatch
  const opened: BeamProcess[] = []

  beforeAll(async () => {
    // This file runs in a namespace of its own: otherwise the default settings would take Beam to the public network.
    assertNamespace()
    scene = await TogetherScene.open(flavor!)
    watch = await WireWatch.start(tcpdump!)
  })
  afterAll(async () => {
    for (const one of opened) await one[Symbol.asyncDispose]()
    await watch[Symbol.asyncDispose]()
    await scene[Symbol.asyncDispose]()
  })

  /** A `beam` as a user has it, at one of the two routers. */
  const beam = (args: readonly string[], user: string, router: 0 | 1): BeamProcess => {
    const env = { ...AS_USERS_HAVE_IT, ...scene.place(user, router).env }
    const one = new BeamProcess([...args, '--json'], { folder: scene.scene.folder, env, patienceMs: PATIENCE_MS })
    opened.push(one)
    return watch.add(one)
  }

  it('leads from one network to the other: registered over Tor, found over I2P, visited over Tor', async () => {
    // Without hops in its tunnels I2P shows the router: with Tor beside it, that takes consent, which this command has no word for.
    const [overI2p, overTor] = [
      beam(['node', '--rendezvous', '--i2p', '--name', 'one'], 'one', 1),
      beam(['node', '--rendezvous', '--tor', '--name', 'two'], 'two', 1),
    ]
    const addressOf = async (place: BeamProcess): Promise<string> =>
      ((await place.event('node')) as JsonLine & { readonly addresses: readonly string[] }).addresses[0] ?? ''
    const [i2p, tor] = [await addressOf(overI2p), await addressOf(overTor)]
    const port = await scene.scene.serve(createServer((_, response) => response.end('hidden')))
    const flags = ['--tor', '--name', 'web', '--domain', 'myapp.local', '--rendezvous', `${i2p},${tor}`]
    const publisher = beam([String(port), ...flags], 'publisher', 0)
    const registered = (): string => String(publisher.events.find(({ phase }) => phase === 'registered')?.['message'])
    await expect.poll(registered, { timeout: PATIENCE_MS, interval: 200 }).toContain('myapp.local is registered')
    // It is the I2P one that is asked, by somebody who names no other. That it is registered is said when the first place holds it.
    const found = async (): Promise<unknown> => (await beam(['resolve', 'myapp.local', '--rendezvous', i2p], 'visitor', 0).ended).code
    await expect.poll(found, { timeout: PATIENCE_MS, interval: 500 }).toBe(0)
    const visitor = beam(['connect', 'myapp.local', '--rendezvous', i2p, '--backends', 'tor,i2p'], 'visitor', 0)
    const { port: local, path } = (await visitor.event('listening')) as unknown as { port: number; path: { backend: string } }
    expect(path.backend).toBe('tor')
    expect(await (await fetch(`http://127.0.0.1:${local}/`, { signal: AbortSignal.timeout(60_000) })).text()).toBe('hidden')
    expect((await visitor.stop()).code).toBe(0)
    expect((await publisher.stop()).code).toBe(0)

    expect(packetsSent('out0')).toBe(0)
    expect(watch.seen.length).toBeGreaterThan(100)
    expect(watch.seen.filter(({ protocol, loopback }) => protocol === 'udp' || !loopback)).toEqual([])
    const hosts = new Set(watch.destinations.map(({ protocol, host }) => `${protocol} ${host}`))
    expect([...hosts].filter((one) => !/^tcp (127\.\d+\.\d+\.\d+|198\.18\.77\.\d+|::1)$/.test(one))).toEqual([])
  })
})
