/**
 * Tor: onion services through a real `tor` daemon.
 *
 * @example
 * import { torPlugin } from 'beam-tunnel/backends/tor'
 * const backend = torPlugin.create({ config, logger, clock, paths })
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { definePlugin, type BeamPlugin, type JsonSchema } from '../../core/index.ts'
import type { TorConfig } from './config.generated.ts'
import { TorBackend } from './tor-backend.ts'

export { TorBackend, type TorComponents } from './tor-backend.ts'
export type { TorConfig } from './config.generated.ts'

/** Tor as a plugin. */
export const torPlugin: BeamPlugin<TorConfig> = definePlugin<TorConfig>({
  name: 'tor',
  apiVersion: 1,
  description: 'Onion services of Tor, through the tor daemon of this machine',
  configSchema: createRequire(import.meta.url)('#schemas/backends/tor.schema.json') as JsonSchema,
  // The daemon alone; joining the network belongs to each tunnel, and takes minutes through some bridges.
  initializeLimitMs: 90_000,
  startLimitMs: 600_000,
  create: (components) => new TorBackend(components),
})
