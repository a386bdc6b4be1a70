import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MeshBackend } from '../../backends/mesh/index.ts'
import { silentLogger, systemClock } from '../../core/index.ts'
import { testBackend } from '../../core/testing/index.ts'

let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'beam-mesh-'))
})
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 3 }))

/** No network: only the registry of this user's processes. */
function create(): MeshBackend {
  return new MeshBackend({
    config: {
      listen: { host: '127.0.0.1', port: 0 },
      maxLinks: 64,
      participation: 'light',
      peers: [],
      announce: [],
      routing: 'quality',
      relaying: 'enabled',
      caching: 'enabled',
    },
    discovery: { bootstrap: 'none', mdns: 'off', portmap: false },
    paths: { config: join(home, 'beam.config.yaml'), data: join(home, 'data'), state: join(home, 'state'), runtime: join(home, 'run') },
    logger: silentLogger,
    clock: systemClock,
  })
}

testBackend({ describe, it }, { name: 'the mesh', create, pair: create })
