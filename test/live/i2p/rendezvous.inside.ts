import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { BeamProcess, type JsonLine } from '../../cli/beam-process.ts'
import { Scene } from '../../e2e/scene.ts'
import { socketsOf, type OpenSocket } from '../tor/sockets.ts'

/** Three sessions have to build tunnels and publish lease sets, on a machine that is busy otherwise. */
const PATIENCE_MS = 150_000
const [serving, visiting] = inject('i2p').places

describe('a meeting place behind I2P', { timeout: 600_000 }, () => {
  let scene: Scene
  let place: BeamProcess
  const opened: BeamProcess[] = []
  const seen: OpenSocket[] = []
  let watching: NodeJS.Timeout
  beforeAll(async () => {
    watching = setInterval(() => seen.push(...opened.flatMap(({ child }) => socketsOf(child.pid))), 100)
    scene = await Scene.open(undefined, PATIENCE_MS)
  })
  afterAll(async () => {
    clearInterval(watching)
    for (const one of opened) await one[Symbol.asyncDispose]()
    await scene[Symbol.asyncDispose]()
  })

  /** A user at a router. Nothing keeps the mesh off but what Beam does by itself: there is no way out of the namespace. */
  const user = (name: string, router: typeof serving): NodeJS.ProcessEnv => ({
    ...scene.home(name),
    BEAM_I2P_SAM_PORT: String(router?.samPort),
    BEAM_I2P_LENGTH: '0',
    BEAM_I2P_QUANTITY: '1',
    BEAM_P2P_BOOTSTRAP: undefined,
    BEAM_P2P_MDNS: undefined,
    BEAM_P2P_PORTMAP: undefined,
  })
  /** A command whose lines are not events of a tunnel. */
  const beam = (args: readonly string[], env: NodeJS.ProcessEnv): BeamProcess => {
    const one = new BeamProcess([...args, '--json'], { folder: scene.folder, env, patienceMs: PATIENCE_MS })
    opened.push(one)
    return one
  }
  const resolve = async (address: string): Promise<Record<string, unknown>> => {
    const { stdout } = await beam(['resolve', 'myapp.local', '--rendezvous', address], user('visitor', visiting)).ended
    return JSON.parse(stdout) as Record<string, unknown>
  }

  it('leads visitors to a service by its name, and forgets it when it ends', async () => {
    place = beam(['node', '--rendezvous', '--i2p'], user('place', visiting))
    const { addresses } = (await place.event('node')) as JsonLine & { readonly addresses: readonly string[] }
    const address = addresses[0] ?? ''
    expect(address).toMatch(/^beam-node:[a-z2-7]{56}@[a-z2-7]{52}\.b32\.i2p$/)
    const web = await scene.serve(createServer((_, response) => response.end('hidden')))
    // Tunnels without hops show the router, so that registering the address takes consent; with hops it does not.
    const flags = ['--i2p', '--name', 'web', '--domain', 'myapp.local', '--rendezvous', address, '--allow-exposure']
    const publisher = scene.beam([String(web), ...flags], user('publisher', serving))
    opened.push(publisher)
    const registered = (): boolean => publisher.events.some(({ event, phase }) => event === 'progress' && phase === 'registered')
    await expect.poll(registered, { timeout: PATIENCE_MS, interval: 200 }).toBe(true)
    const visitor = scene.beam(['connect', 'myapp.local', '--rendezvous', address], user('visitor', visiting))
    opened.push(visitor)
    const { port, path } = (await visitor.event('listening')) as unknown as { port: number; path: { backend: string } }
    expect(path.backend).toBe('i2p')
    expect(await (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) })).text()).toBe('hidden')
    expect(await resolve(address)).toMatchObject({ name: 'myapp.local', address: expect.stringContaining('.b32.i2p') as string })
    expect((await publisher.stop()).code).toBe(0)
    expect(await resolve(address)).toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    // Everything that Beam itself opened stayed on loopback, where SAM is: no datagram, no DHT, no DNS, no direct connection.
    expect(seen.length).toBeGreaterThan(50)
    expect(seen.filter(({ protocol, loopback }) => protocol === 'udp' || !loopback)).toEqual([])
  })
})
