/**
 * The Anyone network (ATOR): hidden services through a real `anon` daemon.
 *
 * @example
 * import { atorPlugin } from 'beam-tunnel/backends/ator'
 * const backend = atorPlugin.create({ config, logger, clock, paths })
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { definePlugin, type BeamPlugin, type JsonSchema } from '../../core/index.ts'
import { AtorBackend } from './ator-backend.ts'
import type { AtorConfig } from './config.generated.ts'

export { AtorBackend, type AtorComponents } from './ator-backend.ts'
export type { AtorConfig } from './config.generated.ts'

/** The Anyone network as a plugin. */
export const atorPlugin: BeamPlugin<AtorConfig> = definePlugin<AtorConfig>({
  name: 'ator',
  apiVersion: 1,
  description: 'Hidden services of the Anyone network (ATOR), through the anon daemon of this machine',
  configSchema: createRequire(import.meta.url)('#schemas/backends/ator.schema.json') as JsonSchema,
  // The daemon alone; joining the network belongs to each tunnel.
  initializeLimitMs: 90_000,
  startLimitMs: 600_000,
  create: (components) => new AtorBackend(components),
})
