import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatMeetingPlace, generateIdentity, parseMeetingPlace } from '../../../core/index.ts'
import { BeamProcess, type JsonLine } from '../../cli/beam-process.ts'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { WAY_OUT } from '../way-out.ts'
import { daemonsOf, OnionScene } from './onion-scene.ts'
import { packetsSent } from './sockets.ts'
import { AS_USERS_HAVE_IT, assertNamespace, WireWatch } from './wire-watch.ts'

const flavor = requireTor()
const namespace = requireNamespaces()
const tcpdump = requireProgram('tcpdump', { apt: 'tcpdump' })
const PATIENCE_MS = 90_000
/** tor goes on looking for an introduction point of a service that is gone for up to two minutes. */
const GIVING_UP_MS = 180_000

describe.runIf(flavor && namespace && tcpdump)('a meeting place behind Tor', { timeout: 500_000 }, () => {
  let scene: OnionScene
  let watch: WireWatch
  let place: BeamProcess
  let address: string
  let port: number

  beforeAll(async () => {
    // This file runs in a namespace of its own: otherwise the default settings would take Beam to the public network.
    assertNamespace()
    execFileSync('sh', ['-ec', WAY_OUT.join('\n')])
    scene = await OnionScene.open(flavor!)
    watch = await WireWatch.start(tcpdump!)
    port = await scene.serve('hidden')
  })
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]()
    await watch[Symbol.asyncDispose]()
    await scene[Symbol.asyncDispose]()
  })

  /** `beam node`, whose lines are not events of a tunnel. */
  async function meet(): Promise<string> {
    const env = { ...AS_USERS_HAVE_IT, BEAM_HOME: scene.home('place') }
    place = new BeamProcess(['node', '--rendezvous', '--tor', '--json'], { folder: scene.scene.folder, env, patienceMs: PATIENCE_MS })
    watch.add(place)
    const { addresses } = (await place.event('node')) as JsonLine & { readonly addresses: readonly string[] }
    return addresses[0] ?? ''
  }
  const publish = (home: string, ...flags: readonly string[]): BeamProcess => {
    const args = [String(port), '--tor', '--name', 'web', '--domain', 'myapp.local', '--rendezvous', address, ...flags]
    return watch.add(scene.scene.beam(args, { ...AS_USERS_HAVE_IT, BEAM_HOME: scene.home(home) }))
  }
  const registered = async (beam: BeamProcess): Promise<void> => {
    const said = (): boolean => beam.events.some(({ event, phase }) => event === 'progress' && phase === 'registered')
    await expect.poll(said, { timeout: PATIENCE_MS, interval: 100 }).toBe(true)
  }
  /** What `beam resolve` prints: an answer, or the `error` event. */
  const resolve = async (home: string, at = address, env: NodeJS.ProcessEnv = {}): Promise<Record<string, unknown>> => {
    const options = {
      folder: scene.scene.folder,
      env: { ...AS_USERS_HAVE_IT, BEAM_HOME: scene.home(home), ...env },
      patienceMs: PATIENCE_MS,
    }
    const beam = watch.add(new BeamProcess(['resolve', 'myapp.local', '--rendezvous', at, '--json'], options))
    const { stdout } = await beam.ended
    return JSON.parse(stdout) as Record<string, unknown>
  }

  it('leads visitors to a service by its name, and nothing of Beam leaves but through Tor', async () => {
    address = await meet()
    expect(address).toMatch(/^beam-node:[a-z2-7]{56}@[a-z2-7]{56}\.onion$/)
    const publisher = publish('home')
    await registered(publisher)
    const { tunnel } = (await publisher.event('ready')) as unknown as { tunnel: { endpoints: { address: string }[] } }
    const visitor = scene.scene.beam(['connect', 'myapp.local', '--rendezvous', address], {
      ...AS_USERS_HAVE_IT,
      BEAM_HOME: scene.home('visitor'),
    })
    watch.add(visitor)
    const { port: local } = (await visitor.event('listening')) as unknown as { port: number }
    expect(await (await fetch(`http://127.0.0.1:${local}/`)).text()).toBe('hidden')
    expect(await resolve('other')).toMatchObject({ name: 'myapp.local', address: tunnel.endpoints[0]?.address })

    expect((await visitor.stop()).code).toBe(0)
    expect((await publisher.stop()).code).toBe(0)
    expect(await resolve('other')).toMatchObject({ event: 'error', code: 'BEAM_ERR_NOT_FOUND' })

    // Nothing took the way out: no DNS, no DHT, no multicast, no port mapping, no direct connection.
    expect(packetsSent('out0')).toBe(0)
    // Processes of Beam had no UDP socket, and nothing that began or ended elsewhere than on loopback.
    const { seen, daemonPorts, destinations } = watch
    expect(seen.length).toBeGreaterThan(100)
    expect(seen.filter(({ protocol, loopback }) => protocol === 'udp' || !loopback)).toEqual([])
    const doors = seen.filter(({ listens }) => listens).map(({ localPort }) => localPort)
    const expected = new Set([...daemonPorts, ...doors, port, local])
    const spokenTo = seen.filter(({ listens, localPort }) => !listens && !doors.includes(localPort)).map(({ remotePort }) => remotePort)
    expect([...new Set(spokenTo)].filter((remote) => !expected.has(remote))).toEqual([])
    // Whoever sent it: no datagram at all, and nothing that was not for this machine.
    expect(destinations.length).toBeGreaterThan(20)
    expect(
      [...new Set(destinations.map(({ protocol, host }) => `${protocol} ${host}`))].filter(
        (one) => !/^tcp (127\.\d+\.\d+\.\d+|::1)$/.test(one),
      ),
    ).toEqual([])
  })

  it('is registered with again when it comes back, under the same address, and when the publisher’s daemon does', async () => {
    await place.stop('SIGKILL')
    const publisher = publish('home')
    const warned = (): boolean => publisher.events.some(({ code }) => code === 'BEAM_WARN_RENDEZVOUS')
    await expect.poll(warned, { timeout: GIVING_UP_MS, interval: 200 }).toBe(true)
    expect(publisher.events.some(({ event }) => event === 'ready')).toBe(true)
    expect(await meet()).toBe(address)
    await registered(publisher)
    expect(await resolve('other')).toMatchObject({ name: 'myapp.local' })
    for (const pid of daemonsOf(publisher.child.pid)) process.kill(pid, 'SIGKILL')
    await publisher.event('down')
    await publisher.event('up')
    expect(await resolve('other')).toMatchObject({ name: 'myapp.local' })
    expect((await publisher.stop()).code).toBe(0)
    expect(await resolve('other')).toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  })

  it('is told apart from another one, from nobody, and from a machine without tor', async () => {
    const { address: at } = parseMeetingPlace(address)
    const other = formatMeetingPlace(generateIdentity().publicKey, at)
    expect(await resolve('other', other)).toMatchObject({
      code: 'BEAM_ERR_KEY_MISMATCH',
      hint: expect.stringContaining('Copy the whole address') as string,
    })
    // An address of a key that nobody publishes.
    const gone = formatMeetingPlace(generateIdentity().publicKey, 'pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion')
    expect(await resolve('other', gone)).toMatchObject({ event: 'error', message: expect.stringContaining('meeting place') as string })
    place.child.kill('SIGSTOP')
    expect(await resolve('other')).toMatchObject({ code: 'BEAM_ERR_TIMEOUT', hint: expect.stringContaining('try again') as string })
    place.child.kill('SIGCONT')
    const folder = join(scene.home('bare'), 'config')
    execFileSync('mkdir', ['-p', folder])
    const config = join(folder, 'beam.config.json')
    writeFileSync(config, JSON.stringify({ backends: [{ name: 'tor', config: { binary: '/nowhere/tor' } }] }))
    expect(await resolve('bare', address, { BEAM_CONFIG: config })).toMatchObject({
      event: 'error',
      message: expect.stringContaining('/nowhere/tor') as string,
    })
    expect(packetsSent('out0')).toBe(0)
  })
})
