import { mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Children, cleanEnvironment, type Child } from '../children.ts'
import type { OnionPeer, OnionPeerContext, Publication, Visitor } from './peer.ts'

/** `beam <port>` and `beam connect` as processes, from the built package that `script` runs. */
export function beamPeer(what: string, script: string): OnionPeer {
  let visitors = 0

  async function start(
    { network, torrc }: OnionPeerContext,
    home: string,
    args: readonly string[],
  ): Promise<{ child: Child; stop(): Promise<void> }> {
    mkdirSync(home, { recursive: true })
    const backend = network.flavor.name === 'tor' ? 'tor' : 'ator'
    const file = join(home, 'beam.config.json')
    const config = { backends: [{ name: backend, enabled: true, priority: 1, config: { binary: network.flavor.binary, torrc } }] }
    writeFileSync(file, JSON.stringify(config))
    const children = new Children()
    const env = {
      ...cleanEnvironment(home),
      BEAM_HOME: home,
      BEAM_CONFIG: file,
      BEAM_P2P_BOOTSTRAP: 'none',
      BEAM_P2P_MDNS: 'off',
      BEAM_P2P_PORTMAP: 'off',
    }
    const child = await children.start(process.execPath, [script, ...args, '--backend', backend, '--json'], env)
    return { child, stop: () => children.stop() }
  }

  return {
    name: 'beam',
    what,
    async publish(context): Promise<Publication> {
      const { child, stop } = await start(context, join(context.folder, 'publisher'), [String(context.origin), '--name', 'bench'])
      try {
        await child.waitFor(/"event":"ready"/)
        const [address] = await child.waitFor(/http:\/\/[a-z2-7]{56}\.\w+/)
        return { address, stop }
      } catch (error) {
        // The next step starts another one under the same name.
        await stop()
        throw error
      }
    },
    async visit(context, address, circuits): Promise<Visitor> {
      const home = join(context.folder, `visitor-${++visitors}`)
      const { child, stop } = await start(context, home, ['connect', address, '--port', '0', '--circuits', String(circuits)])
      const [, port] = await child.waitFor(/"event":"listening".*?"port":(\d+)/)
      const dial: Visitor['dial'] = async () => {
        const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
        await once(socket, 'connect')
        return socket
      }
      return { dial, stop }
    },
  }
}
