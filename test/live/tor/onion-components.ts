import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { silentLogger, systemClock, type BeamPlugin } from '../../../core/index.ts'
import type { Sizes } from '../../../core/testing/index.ts'
import type { OnionNetwork } from '../../helpers/onion-network/index.ts'

/** A circuit carries a few MiB a second and opens a stream in 40 ms: smaller figures than on loopback, so that the suite stays short. */
export const ONION_SIZES: Partial<Sizes> = {
  bulkBytes: 2 * 1024 * 1024,
  parallel: 50,
  sequential: 20,
  resets: 100,
  stalled: 10,
  // A daemon takes what a visitor writes until the circuit's window is known to be full: 38 to 104 MiB were seen with tor and anon alone.
  maxBufferedBytes: 384 * 1024 * 1024,
}

/** What a backend of onion services is made of in a private network: its settings by default, and whatever is added. */
export function onionComponents<Config extends object>(
  { configSchema }: BeamPlugin<Config>,
  network: OnionNetwork,
  home: string,
  settings: Partial<Config> = {},
): {
  config: Config
  paths: { config: string; data: string; state: string; runtime: string }
  logger: typeof silentLogger
  clock: typeof systemClock
} {
  const config = { binary: network.flavor.binary, torrc: network.torrc, ...settings } as unknown as Config
  const validate = new Ajv2020({ strict: false, useDefaults: true }).compile(configSchema)
  if (!validate(config)) throw new Error(`these settings do not match the schema: ${JSON.stringify(validate.errors)}`)
  const paths = { config: join(home, 'beam.config.yaml'), data: join(home, 'data'), state: join(home, 'state'), runtime: join(home, 'run') }
  return { config, paths, logger: silentLogger, clock: systemClock }
}
