/**
 * AnoNet: a mesh of friends. Every link is a WireGuard tunnel between two people who know each other; BGP carries the routes, and BFD
 * notices dead links. Beam attaches to such a mesh, or keeps one of its own in a network namespace.
 *
 * @example
 * import { anonetPlugin } from 'beam-tunnel/backends/anonet'
 * const backend = anonetPlugin.create({ config, logger, clock, paths })
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { definePlugin, type BeamPlugin, type JsonSchema } from '../../core/index.ts'
import { AnonetBackend } from './anonet-backend.ts'
import type { AnonetConfig } from './config.generated.ts'

export { AnonetBackend, type AnonetComponents } from './anonet-backend.ts'
export type { AnonetConfig } from './config.generated.ts'

/** The mesh of friends as a plugin. */
export const anonetPlugin: BeamPlugin<AnonetConfig> = definePlugin<AnonetConfig>({
  name: 'anonet',
  apiVersion: 1,
  description: 'A mesh of friends: WireGuard links with BGP between them',
  configSchema: createRequire(import.meta.url)('#schemas/backends/anonet.schema.json') as JsonSchema,
  create: ({ config, logger, clock, paths }) => new AnonetBackend({ config, logger, clock, paths }),
})
