import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BeamPlugin, Dialler, NetworkBackend, TunnelOptions } from '../../../core/index.ts'
import { OnionNetwork, type Flavor } from '../../helpers/onion-network/index.ts'
import { onionComponents } from './onion-components.ts'

/** The end of a stream takes milliseconds, and 30 ms for each circuit before it. One that waits for other traffic takes 10 s and more. */
const PROMPT_MS = 3_000
/** Long enough for relays to have nothing more to send each other. */
const IDLE_MS = 2_000
/** How often visitors of another tunnel say something where relays are to be busy, as those of a public network are. */
const CHATTER_MS = 50

type Onions = NetworkBackend & Dialler & AsyncDisposable

/** Declares what visitors who are connected hear of the end of a tunnel, for a backend of onion services with the real daemon. */
export function declareStop<Config extends object>(flavor: Flavor, plugin: BeamPlugin<Config>): void {
  describe(`the end of a tunnel of ${plugin.name}`, () => {
    const home = mkdtempSync(join(tmpdir(), 'beam-onion-s-'))
    const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
    let network: OnionNetwork
    let publisher: Onions
    let attached: Onions
    let visitor: Onions
    let port: number
    beforeAll(async () => {
      await once(echo.listen(0, '127.0.0.1'), 'listening')
      port = (echo.address() as AddressInfo).port
      network = await OnionNetwork.start(flavor)
      const open = (name: string, settings: object = {}): Onions =>
        plugin.create(onionComponents(plugin, network, join(home, name), settings as Partial<Config>)) as Onions
      const running = await network.client('running')
      publisher = open('publisher')
      visitor = open('visitor')
      attached = open('attached', { control_port: await running.daemon.controlPort(), binary: undefined, torrc: undefined })
      await Promise.all([publisher, attached, visitor].map((backend) => backend.initialize()))
    })
    afterAll(async () => {
      await Promise.all([publisher, attached, visitor].map((backend) => backend[Symbol.asyncDispose]()))
      await network[Symbol.asyncDispose]()
      echo.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 3 })
    })

    const publish = async (backend: Onions, options: TunnelOptions = {}): Promise<{ id: string; address: string }> => {
      const { id, endpoints } = await backend.startTunnel(port, options)
      return { id, address: endpoints[0]!.address }
    }
    /** Streams that have carried something, each on a circuit of its own. */
    const visit = (address: string, count: number): Promise<Duplex[]> =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => ping(await visitor.dial(address, { isolation: `${address} ${index}` }))),
      )

    it.each([
      { visitors: 1, through: 'its own daemon', backend: () => publisher },
      { visitors: 8, through: 'its own daemon', backend: () => publisher },
      { visitors: 4, through: 'a daemon that others use, too', backend: () => attached },
    ])('reaches $visitors visitors at once, and nobody of another tunnel ($through)', async ({ visitors, backend }) => {
      const [ending, staying] = await Promise.all([publish(backend()), publish(backend())])
      const [ended, stayed] = [await visit(ending.address, visitors), await visit(staying.address, 4)]
      await delay(IDLE_MS)
      // One notice alone arrives on an idle network. Several may meet at a relay, where only the next cell takes the others along.
      const chatter = visitors === 1 ? undefined : setInterval(() => stayed.forEach((stream) => stream.write('so')), CHATTER_MS)
      const times = timesOfEnd(ended)
      await backend().stopTunnel(ending.id)
      expect(await times).toSatisfy((all: number[]) => Math.max(...all) < PROMPT_MS)
      clearInterval(chatter)
      for (const stream of stayed) (await ping(stream)).destroy()
      await backend().stopTunnel(staying.id)
    })
  })
}

async function ping(stream: Duplex): Promise<Duplex> {
  stream.on('error', () => {}).write('ping')
  await once(stream, 'data')
  return stream
}

/** Milliseconds until each of these streams has ended, from now. */
function timesOfEnd(streams: readonly Duplex[]): Promise<number[]> {
  const begin = performance.now()
  return Promise.all(
    streams.map(async (stream) => {
      await new Promise((resolve) => stream.once('end', resolve).once('close', resolve).resume())
      return Math.round(performance.now() - begin)
    }),
  )
}
