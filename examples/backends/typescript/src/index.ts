/**
 * A Beam backend for the tin-can network.
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { definePlugin, type JsonSchema } from 'beam-tunnel/core'
import { TinCanBackend, type TinCanConfig } from './backend.ts'

export { TinCanBackend, type TinCanConfig } from './backend.ts'

/** The schema of the configuration block; Beam checks the block against it before `create` is called. */
const configSchema = createRequire(import.meta.url)('../../schema.json') as JsonSchema

export default definePlugin<TinCanConfig>({
  name: 'tin-can',
  apiVersion: 1,
  description: 'Loopback TCP: a network to start from',
  configSchema,
  create: ({ config, logger, paths }) => new TinCanBackend(config, { logger, dataFolder: paths.data }),
})
