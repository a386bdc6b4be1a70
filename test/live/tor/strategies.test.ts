import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { addressOf } from '../../e2e/scene.ts'
import { beam, type Outcome } from '../../cli/beam-process.ts'
import { OnionScene } from './onion-scene.ts'

const flavor = requireTor()

/** Checks that hang for five seconds, circuits that are given up and built again, and a loaded machine. */
const PATIENCE_MS = 120_000

describe.runIf(flavor)('tor and the mesh together', { timeout: 240_000 }, () => {
  let scene: OnionScene
  beforeAll(async () => {
    scene = await OnionScene.open(flavor!)
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const get = async (port: number): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) })).text()

  it('fall back when nobody gets through to the onion service any more, and forward again when they do', async () => {
    const { torrc, flavor: tor, relays } = scene.network
    const config = {
      backends: [{ name: 'tor', config: { binary: tor.binary, torrc } }, { name: 'mesh' }],
      tunnels: [
        {
          name: 'web',
          port: await scene.serve('alive'),
          strategy: 'fallback',
          backends: ['tor', 'mesh'],
          allowExposure: true,
          health: { probeEvery: '3s', probeTimeout: '5s', failAfter: '1s', recoverAfter: '6s' },
        },
      ],
    }
    const file = join(scene.scene.folder, 'web.json')
    writeFileSync(file, JSON.stringify(config))
    const publisher = scene.scene.beam(['up', '--file', file], { BEAM_HOME: scene.home('home') })
    await publisher.event('ready')
    const moves = (): string[] =>
      publisher.events.flatMap(({ event, from, to }) => (event === 'failover' ? [`${String(from)} → ${String(to)}`] : []))
    // The daemon runs and says nothing; only who dials the service finds out.
    const from = performance.now()
    for (const relay of relays) relay.child.kill('SIGSTOP')
    try {
      await vi.waitFor(() => expect(moves()).toEqual(['tor → mesh']), { timeout: PATIENCE_MS, interval: 100 })
    } finally {
      for (const relay of relays) relay.child.kill('SIGCONT')
    }
    const fellBackMs = performance.now() - from
    const mesh = publisher.events.findLast(({ event, backend }) => event === 'up' && backend === 'mesh')
    // The registry of this machine is the same user's.
    const visit = await scene.visit(String(mesh?.['address']), [], scene.home('home'))
    expect(await get(visit.port)).toBe('alive')
    await visit.process.stop()
    await vi.waitFor(() => expect(moves()).toEqual(['tor → mesh', 'mesh → tor']), { timeout: PATIENCE_MS, interval: 100 })
    console.log(`fell back after ${Math.round(fellBackMs)} ms, forward again after ${Math.round(performance.now() - from)} ms`)
    await publisher.stop()
  })

  it('take a tunnel from one to the other while it runs', async () => {
    const publisher = scene.start(await scene.serve('moved'), ['--name', 'moving'])
    const onion = addressOf(await publisher.event('ready'))
    const migrate = (...flags: string[]): Promise<Outcome> =>
      beam(['migrate', '--tunnel-id', 'moving', '--drain', '1s', ...flags], scene.scene.folder, { BEAM_HOME: scene.home('home') })
    // The mesh shows the IP address that tor hides.
    expect((await migrate('--from', 'tor', '--to', 'mesh')).code).toBe(2)
    expect((await migrate('--from', 'tor', '--to', 'mesh', '--allow-exposure')).code).toBe(0)
    const { address } = (await publisher.event('address', 2)) as unknown as { readonly address: string }
    const visit = await scene.visit(address, [], scene.home('home'))
    expect(await get(visit.port)).toBe('moved')
    expect((await migrate('--from', 'mesh', '--to', 'tor')).code).toBe(0)
    // Under its name it has the address that it had.
    expect(((await publisher.event('address', 3)) as unknown as { readonly address: string }).address).toBe(onion)
    await visit.process.stop()
    await publisher.stop()
  })
})
