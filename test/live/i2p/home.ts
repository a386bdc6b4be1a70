import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { I2pBackend, type I2PConfig } from '../../../backends/i2p/index.ts'
import { silentLogger, systemClock, type BeamPaths } from '../../../core/index.ts'

/** A folder of the test's own with all of Beam's folders in it. */
export interface Home extends AsyncDisposable {
  readonly folder: string
  readonly paths: BeamPaths
}

export async function newHome(): Promise<Home> {
  // Short: sockets lie below it.
  const folder = await mkdtemp(join(tmpdir(), 'bi2p-'))
  const paths = { config: join(folder, 'c'), data: join(folder, 'd'), state: join(folder, 's'), runtime: join(folder, 'r') }
  return { folder, paths, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** The configuration of a test: no hops, since four routers are no crowd. */
export function testConfig(samPort: number | undefined, changes: Partial<I2PConfig> = {}): I2PConfig {
  return {
    ...(samPort === undefined ? {} : { sam_port: samPort }),
    router: samPort === undefined ? 'private' : 'attach',
    reseed: 'off',
    router_options: {},
    length: 0,
    quantity: 1,
    variance: 0,
    first_byte_seconds: 15,
    half_close_seconds: 1,
    ...changes,
  }
}

export function newBackend(home: Home, samPort: number | undefined, changes: Partial<I2PConfig> = {}): I2pBackend {
  return new I2pBackend({ config: testConfig(samPort, changes), paths: home.paths, logger: silentLogger, clock: systemClock })
}
