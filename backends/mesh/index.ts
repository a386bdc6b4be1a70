/**
 * Beam's own mesh: direct, encrypted links between publisher and visitor, found on this machine, on the LAN, or through a DHT.
 *
 * @example
 * import { meshPlugin } from 'beam-tunnel/backends/mesh'
 * const backend = meshPlugin.create({ config, logger, clock, paths })
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { definePlugin, type BeamPlugin, type JsonSchema } from '../../core/index.ts'
import type { MeshConfig } from './config.generated.ts'
import { parseDiscoveryOptions } from './discovery/index.ts'
import { MeshBackend } from './mesh-backend.ts'

export type { MeshComponents } from './assemble.ts'
export { MeshBackend } from './mesh-backend.ts'
export { parseDiscoveryOptions, type DiscoveryOptions } from './discovery/index.ts'
export type { MeshConfig } from './config.generated.ts'

/** The mesh as a plugin. */
export const meshPlugin: BeamPlugin<MeshConfig> = definePlugin<MeshConfig>({
  name: 'mesh',
  apiVersion: 1,
  description: 'Direct encrypted links between the two machines; no daemon, no account',
  configSchema: createRequire(import.meta.url)('#schemas/backends/mesh.schema.json') as JsonSchema,
  create({ config, logger, clock, paths }) {
    const { bootstrap, dns, mdns, portmap } = config
    // The environment's part is in the configuration already: it is read in one place.
    const said = { mdns, portmap: portmap === 'on', ...(bootstrap !== undefined && { bootstrap }), ...(dns !== undefined && { dns }) }
    const discovery = parseDiscoveryOptions({}, said)
    return new MeshBackend({ config, discovery, logger, clock, paths })
  },
})
