import { MultiDiscovery } from '../../backends/mesh/discovery/multi.ts'
import { MeshNetwork, type MeshNetworkOptions } from '../../backends/mesh/network/mesh-network.ts'
import { silentLogger, systemClock } from '../../core/index.ts'
import { testPaths } from './mesh.ts'

/** A node that takes part fully, on 127.0.0.1, in folders of its own; without discovery. `open` hears what ends it, in order. */
export async function testNetwork(
  open: { push(close: () => unknown): unknown },
  over: Partial<MeshNetworkOptions> = {},
): Promise<MeshNetwork> {
  const paths = await testPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  const started = await MeshNetwork.start({
    participation: 'full',
    maxPeers: 50,
    listen: { host: '127.0.0.1', port: 0 },
    peers: [],
    announce: [],
    discovery: new MultiDiscovery([]),
    within: 'machine',
    paths,
    clock: systemClock,
    logger: silentLogger,
    onRelays: () => {},
    ...over,
  })
  open.push(() => started[Symbol.asyncDispose]())
  return started
}
