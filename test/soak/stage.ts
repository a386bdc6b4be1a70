import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { CleanupStack } from '../../core/index.ts'
import type { ConnectEvent } from '../../core/tunnels/events.ts'
import { createBeam, type Beam, type Connection, type PublishedTunnel } from '../../plugins/index.ts'
import { BeamProcess } from '../cli/beam-process.ts'
import { pathProxy, type PathProxy } from '../helpers/path-proxy.ts'
import { temporaryPaths } from '../plugins/memory-plugin.ts'
import { FaultyNetwork } from './faulty-network.ts'
import { source } from './traffic.ts'

const MESH = { listen: { host: '127.0.0.1', port: 0 }, bootstrap: [], mdns: 'off', portmap: 'off' }
/** Quick to move, so that there is much of it. */
const HEALTH = { probeEveryMs: 2_000, probeLimitMs: 1_000, failAfterMs: 200, recoverAfterMs: 1_000 }
const OFFLINE = { BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }

/** How long all networks may take at first, where nothing fails yet. */
const UP_LIMIT_MS = 30_000

/** Two Beams of this process on two memory networks and the mesh, a third in a process of its own, and visitors of all strategies. */
export class Stage implements AsyncDisposable {
  readonly networks = [new FaultyNetwork('red'), new FaultyNetwork('green')] as const
  readonly #undo = new CleanupStack()
  #folder = ''
  #meshPort = 0
  #proxy: PathProxy | undefined
  #child: BeamProcess | undefined
  #servicePort = 0
  readonly #tunnels: PublishedTunnel[] = []
  /** How often a visitor found no way at all, by what his port shows. */
  readonly lost = { fallback: 0, balanced: 0, multipath: 0, restarted: 0 }

  /** Local ports of the visitors, by what they show. */
  async open(): Promise<{ fallback: number; balanced: number; multipath: number; restarted: number }> {
    const paths = await temporaryPaths()
    this.#undo.defer(() => paths[Symbol.asyncDispose]())
    this.#folder = paths.home
    const [publisher, visitor] = [await this.#beam('publisher', paths), await this.#beam('visitor', paths)]
    const [one, two] = [await this.#serve(), await this.#serve()]
    this.#servicePort = await this.#serve()
    const backends = ['red', 'green']
    const common = { allowExposure: true, health: HEALTH }
    await publisher.publish({ host: '127.0.0.1', port: one }, { ...common, name: 'moving', strategy: 'fallback', backends })
    const spread = await publisher.publish(
      { host: '127.0.0.1', port: one },
      { ...common, name: 'spread', strategy: 'load-balance', backends },
    )
    const joined = { ...common, name: 'joined', strategy: 'multipath', backends: ['mesh', ...backends] } as const
    const tunnel = await publisher.publish({ host: '127.0.0.1', port: two }, joined)
    await allUp(tunnel, joined.backends.length)
    this.#tunnels.push(tunnel, spread)
    const mesh = tunnel.snapshot().endpoints.find(({ backend }) => backend === 'mesh')
    this.#meshPort = Number(mesh?.direct?.[0]?.split(':').at(-1))
    const proxy = (this.#proxy = await pathProxy(this.#meshPort))
    this.#undo.defer(() => this.#proxy?.[Symbol.asyncDispose]())
    this.#undo.defer(() => this.#child?.stop())
    const restarted = await this.restart()
    return {
      fallback: await this.#connect(visitor, 'fallback', this.#on('moving'), 'fallback'),
      balanced: await this.#connect(visitor, 'balanced', this.#on('spread'), 'load-balance'),
      multipath: await this.#connect(
        visitor,
        'multipath',
        [`${mesh?.address}@127.0.0.1:${proxy.port}`, ...this.#on('joined')],
        'multipath',
      ),
      restarted: await this.#connect(visitor, 'restarted', [restarted], 'fallback'),
    }
  }

  /** The networks that carry every tunnel that is to be on them all, now. A publisher comes back to a network that failed after up to a minute. */
  working(): Array<'red' | 'green' | 'mesh'> {
    return (['red', 'green', 'mesh'] as const).filter((name) =>
      this.#tunnels.every((tunnel) => {
        const { endpoints } = tunnel.snapshot()
        return endpoints.filter(({ backend }) => backend === name).every(({ state }) => state === 'active')
      }),
    )
  }

  /** The mesh's path of the multipath visitor: falls silent, dies, comes back. */
  silenceMesh(): void {
    this.#proxy?.silence(true)
  }

  async killMesh(): Promise<void> {
    await this.#proxy?.kill()
  }

  async mendMesh(): Promise<void> {
    const { port } = this.#proxy as PathProxy
    await this.#proxy?.kill()
    this.#proxy = await pathProxy(this.#meshPort, port)
  }

  /** Kills the publisher that is a process of its own, if there is one, and starts it. @returns its address */
  async restart(): Promise<string> {
    await this.#child?.stop('SIGKILL')
    const env = { ...OFFLINE, BEAM_HOME: this.#folder }
    const child = (this.#child = new BeamProcess([`${this.#servicePort}`, '--name', 'restarted', '--json'], {
      folder: this.#folder,
      env,
      patienceMs: 60_000,
    }))
    const { tunnel } = (await child.event('ready')) as unknown as {
      readonly tunnel: { readonly endpoints: ReadonlyArray<{ address: string }> }
    }
    return tunnel.endpoints[0]?.address ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]()
  }

  #on(name: string): string[] {
    return this.networks.map((network) => network.address(name))
  }

  async #beam(user: string, paths: Awaited<ReturnType<typeof temporaryPaths>>): Promise<Beam> {
    const backends = [{ name: 'mesh', config: MESH }, ...this.networks.map(({ name }) => ({ name }))]
    const beam = await createBeam({ config: { backends }, plugins: this.networks.map((network) => network.plugin(user)), paths, env: {} })
    this.#undo.defer(() => beam[Symbol.asyncDispose]())
    return beam
  }

  async #serve(): Promise<number> {
    const server = source()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    this.#undo.defer(() => {
      server.closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }

  async #connect(
    visitor: Beam,
    what: keyof Stage['lost'],
    addresses: readonly string[],
    strategy: 'fallback' | 'load-balance' | 'multipath',
  ): Promise<number> {
    const onEvent = ({ event }: ConnectEvent): void => {
      if (event === 'down') this.lost[what] += 1
    }
    const connection: Connection = await visitor.connect(addresses as [string, ...string[]], { strategy, allowExposure: true, onEvent })
    return connection.port
  }
}

/** A tunnel is ready with the first of its networks; the others follow within a moment. */
async function allUp(tunnel: PublishedTunnel, count: number): Promise<void> {
  for (const deadline = Date.now() + UP_LIMIT_MS; ; await delay(50)) {
    const { endpoints } = tunnel.snapshot()
    if (endpoints.filter(({ state }) => state === 'active').length === count) return
    if (Date.now() > deadline) throw new Error(`not all networks carry the tunnel: ${JSON.stringify(endpoints)}`)
  }
}
