/**
 * The configuration: finding, reading, checking and editing beam.config.yaml.
 * @packageDocumentation
 */
export { loadConfig, resolveConfig, type LoadedConfig, type LoadOptions } from './load-config.ts'
export type { CatalogueOptions, KnownBackends, PluginSources, SchemaOf } from './catalogue.ts'
export { KNOWN_BACKENDS, type KnownBackend } from './known-backends.ts'
export { formatProblem, InvalidConfigError, type Problem } from './problem.ts'
export type * from './beam-config.generated.ts'
export { beamPaths, ensureFolders, type Environment } from './paths.ts'
