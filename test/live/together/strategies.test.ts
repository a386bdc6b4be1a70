import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { pathProxy } from '../../helpers/path-proxy.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { daemonsOf } from '../tor/onion-scene.ts'
import { Load, LoadService } from './load.ts'
import { TogetherScene } from './together-scene.ts'
import { allUp, declared, failover, type VisitorStrategy } from './visitors.ts'

const flavor = requireTor()
const i2pd = requireProgram('i2pd', { apt: 'i2pd', brew: 'i2pd' })
const namespace = requireNamespaces()

/** The customer's limit for a failover. */
const FAILOVER_LIMIT_MS = 5_000
/** How long is looked at what a fault does: also where a network takes streams for somebody who has left, and says nothing. */
const LOOK_MS = 10_000
const ALL = ['mesh', 'tor', 'i2p'] as const

describe.runIf(flavor && i2pd && namespace)('mesh, Tor and I2P together', { timeout: 500_000 }, () => {
  let scene: TogetherScene
  beforeAll(async () => {
    scene = await TogetherScene.open(flavor!)
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const kill = (...of: readonly BeamProcess[]): void => {
    for (const { child } of of) for (const pid of daemonsOf(child.pid)) process.kill(pid, 'SIGKILL')
  }

  it('carry new connections, and one that is open, while their daemons are killed one after the other', async () => {
    const [short, long] = [new LoadService(500_000), new LoadService(500_000)]
    const common = { backends: ALL, allowExposure: true }
    const publisher = scene.up('publisher', [
      { ...common, name: 'spread', port: await scene.scene.serve(short.server), strategy: 'load-balance' },
      { ...common, name: 'joined', port: await scene.scene.serve(long.server), strategy: 'multipath' },
    ])
    const [spread, joined] = await Promise.all([declared(publisher, 'spread', ALL), declared(publisher, 'joined', ALL)])

    // The mesh has no daemon: what dies is the way to the publisher's port.
    const ends = [spread, joined].map(({ direct }) => Number(direct.split(':').at(-1)))
    const proxies = await Promise.all(ends.map((port) => pathProxy(port)))
    scene.scene.defer(() => Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]())))
    const silenceMesh = (silent: boolean): void => proxies.forEach((proxy) => proxy.silence(silent))
    const killMesh = (): Promise<unknown> => Promise.all(proxies.map((proxy) => proxy.kill()))
    const mendMesh = async (): Promise<void> => {
      for (const [index, proxy] of proxies.entries()) proxies[index] = await pathProxy(ends[index]!, proxy.port)
    }

    const visit = async (strategy: VisitorStrategy, which: 0 | 1): Promise<{ process: BeamProcess; port: number }> => {
      const { direct, others } = [spread, joined][which]!
      const addresses = [direct.replace(/\d+$/, String(proxies[which]!.port)), ...others]
      const flags = ['--strategy', strategy, '--allow-exposure']
      return scene.scene.visit(addresses[0]!, [...addresses.slice(1), ...flags], scene.place(strategy, 1).env)
    }
    const visits = await Promise.all([visit('fallback', 0), visit('load-balance', 0), visit('multipath', 1)])
    const visitors = visits.map(({ process }) => process)
    const ready = (networks: readonly string[] = ALL): Promise<unknown> => Promise.all(visitors.map((visitor) => allUp(visitor, networks)))
    await ready()

    const [fallback, balanced, multipath] = visits.map(({ port }) => new Load(port, 250)) as [Load, Load, Load]
    const download = long.download(visits[2].port)
    await delay(1_000)
    const [serving, visiting] = scene.i2p.routers as [(typeof scene.i2p.routers)[0], (typeof scene.i2p.routers)[0]]
    const steps: ReadonlyArray<readonly [what: string, harm: () => unknown, mend?: () => unknown]> = [
      ['the way through the mesh, without a word,', () => silenceMesh(true), () => silenceMesh(false)],
      ['the way through the mesh', killMesh],
      ['the visitors’ tor', () => kill(...visitors), mendMesh],
      ['the visitors’ I2P router', () => visiting.kill(), () => visiting.restart()],
      ['the publisher’s tor', () => kill(publisher)],
      ['the publisher’s I2P router', () => serving.kill(), () => serving.restart()],
    ]
    const faults: Array<{ readonly what: string; readonly at: number }> = []
    for (const [what, harm, mend] of steps) {
      faults.push({ what, at: performance.now() })
      await harm()
      // What began last is over before the next fault: a connection that is open on a path ends with it.
      await delay(LOOK_MS + 1_000)
      await mend?.()
      // Tor takes over from the mesh, and then I2P from Tor; later ones find everything mended, and in the end it is I2P that comes back.
      if (mend !== undefined) await ready(what === steps.at(-1)?.[0] ? ['i2p'] : ALL)
    }
    const bytesAtLastFault = download.bytes()
    await delay(2_000)

    const done = { fallback: await fallback.stop(), 'load-balance': await balanced.stop(), multipath: await multipath.stop() }
    const { bytes, sent, received } = await download.finish()
    for (const { what, at } of faults) {
      const seen = Object.entries(done).map(([strategy, requests]) => [strategy, failover(requests, at, LOOK_MS)] as const)
      const words = seen.map(
        ([strategy, { asked, slowestMs, failed }]) => `${strategy} ${slowestMs} ms (${asked} asked, ${failed.length} failed)`,
      )
      console.log(`${what} killed; slowest new connection: ${words.join(', ')}`)
      for (const [strategy, { asked, slowestMs, failed }] of seen) {
        expect(asked).toBeGreaterThan(5)
        expect(failed, `${strategy}, ${what} killed`).toEqual([])
        expect(slowestMs).toBeLessThan(FAILOVER_LIMIT_MS)
      }
    }
    // One connection over all paths: nothing fails, whenever it began.
    expect(done.multipath.filter(({ error }) => error !== undefined)).toEqual([])
    expect(received).toBe(sent)
    expect(bytes).toBeGreaterThan(bytesAtLastFault)
    console.log(`${bytes} bytes downloaded meanwhile over one connection, exact`)
    for (const { process } of visits) expect((await process.stop()).code).toBe(0)
    expect((await publisher.stop()).code).toBe(0)
  })

  it('take over from one another at the publisher’s end, when Tor falls silent, and back', async () => {
    const service = new LoadService(500_000)
    const health = { probeEvery: '3s', probeTimeout: '5s', failAfter: '1s', recoverAfter: '6s' }
    const port = await scene.scene.serve(service.server)
    const publisher = scene.up('moving', [
      { name: 'moving', port, strategy: 'fallback', backends: ['tor', 'i2p'], allowExposure: true, health },
    ])
    await declared(publisher, 'moving', ['tor'])
    const moves = (): string[] => publisher.events.flatMap(({ event, to }) => (event === 'failover' ? [String(to)] : []))

    const from = performance.now()
    for (const { child } of scene.onion.relays) child.kill('SIGSTOP')
    try {
      await vi.waitFor(() => expect(moves()).toEqual(['i2p']), { timeout: 120_000, interval: 100 })
      console.log(`Tor silent: I2P carries the tunnel after ${Math.round(performance.now() - from)} ms, from a cold start`)
      const address = publisher.events.findLast(({ event, backend }) => event === 'address' && backend === 'i2p')?.['address']
      const visit = await scene.scene.visit(String(address), ['--allow-exposure'], scene.place('moved', 1).env)
      const load = new Load(visit.port, 250)
      await delay(2_000)
      const requests = await load.stop()
      expect(requests.length).toBeGreaterThan(3)
      expect(requests.filter(({ error }) => error !== undefined)).toEqual([])
      await visit.process.stop()
    } finally {
      for (const { child } of scene.onion.relays) child.kill('SIGCONT')
    }
    await vi.waitFor(() => expect(moves()).toEqual(['i2p', 'tor']), { timeout: 120_000, interval: 100 })
    console.log(`back on Tor after ${Math.round(performance.now() - from)} ms`)
    expect((await publisher.stop()).code).toBe(0)
  })
})
