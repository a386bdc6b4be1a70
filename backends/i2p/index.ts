/**
 * I2P: destinations behind tunnels of other people's routers, by way of a router's SAM port.
 *
 * @example
 * import { i2pPlugin } from 'beam-tunnel/backends/i2p'
 * const backend = i2pPlugin.create({ config, logger, clock, paths })
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { definePlugin, type BeamPlugin, type JsonSchema } from '../../core/index.ts'
import type { I2PConfig } from './config.generated.ts'
import { I2pBackend } from './i2p-backend.ts'

export { I2pBackend, type I2pComponents } from './i2p-backend.ts'
export type { I2PConfig } from './config.generated.ts'

/** Starting a private router and looking for a running one. */
const INITIALIZE_LIMIT_MS = 60_000
/** A router after a cold start takes 3 to 10 minutes to know the network, and a lease set may need the next tunnels after those. */
const START_LIMIT_MS = 600_000

/** I2P as a plugin. */
export const i2pPlugin: BeamPlugin<I2PConfig> = definePlugin<I2PConfig>({
  name: 'i2p',
  apiVersion: 1,
  description: 'Destinations of I2P, through a running router or a private one',
  configSchema: createRequire(import.meta.url)('#schemas/backends/i2p.schema.json') as JsonSchema,
  initializeLimitMs: INITIALIZE_LIMIT_MS,
  startLimitMs: START_LIMIT_MS,
  create: ({ config, logger, clock, paths }) => new I2pBackend({ config, logger, clock, paths }),
})
