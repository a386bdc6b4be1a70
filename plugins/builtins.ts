import type { BeamPlugin } from '../core/index.ts'

/** The networks that Beam contains. Each is loaded when it is used for the first time and costs nothing before. */
export const BUILTINS: Readonly<Record<string, () => Promise<BeamPlugin>>> = {
  anonet: async () => (await import('../backends/anonet/index.ts')).anonetPlugin as BeamPlugin,
  i2p: async () => (await import('../backends/i2p/index.ts')).i2pPlugin as BeamPlugin,
  mesh: async () => (await import('../backends/mesh/index.ts')).meshPlugin as BeamPlugin,
  tor: async () => (await import('../backends/tor/index.ts')).torPlugin as BeamPlugin,
  ator: async () => (await import('../backends/ator/index.ts')).atorPlugin as BeamPlugin,
}
