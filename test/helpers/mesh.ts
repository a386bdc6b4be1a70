import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, systemClock, type BeamPaths } from '../../core/index.ts'
import { MeshBackend, type DiscoveryOptions, type MeshComponents } from '../../backends/mesh/index.ts'

/** Folders of one test user, removed at the end. */
export async function testPaths(): Promise<BeamPaths & AsyncDisposable> {
  const home = await mkdtemp(join(tmpdir(), 'beam-'))
  return {
    config: join(home, 'config'),
    data: join(home, 'data'),
    state: join(home, 'state'),
    runtime: join(home, 'run'),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  }
}

/** A mesh backend on 127.0.0.1 that finds others through the registry of the same folders, and through what `discovery` switches on. */
export async function testMesh(
  paths: BeamPaths,
  discovery: Partial<DiscoveryOptions> = {},
  config: Partial<MeshComponents['config']> = {},
): Promise<MeshBackend> {
  const backend = new MeshBackend({
    config: {
      listen: { host: '127.0.0.1', port: 0 },
      maxLinks: 64,
      participation: 'light',
      peers: [],
      announce: [],
      routing: 'quality',
      relaying: 'enabled',
      caching: 'enabled',
      ...config,
    },
    discovery: { bootstrap: 'none', mdns: 'off', portmap: false, ...discovery },
    paths,
    logger: silentLogger,
    clock: systemClock,
  })
  await backend.initialize()
  return backend
}
