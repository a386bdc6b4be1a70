/**
 * The configuration: finding, reading, checking and editing beam.config.yaml.
 * @packageDocumentation
 */
export { displayName, loadConfig, locateConfig, resolveConfig, type LoadedConfig, type LoadOptions } from './load-config.ts'
export type { Catalogue, CatalogueOptions, FailedPlugin, KnownBackends, PluginSources, SchemaOf } from './catalogue.ts'
export { KNOWN_BACKENDS, type KnownBackend } from './known-backends.ts'
export { editConfig, userFile, type Change, type EditResult } from './edit-config.ts'
export { findConfigFile, CONFIG_FILE_NAMES } from './find.ts'
export { initConfig } from './init-config.ts'
export { formatKeyPath, parseKeyPath, type KeyPath } from './key-path.ts'
export { maskSecrets, MASK } from './mask.ts'
export { getSetting } from './setting.ts'
export { formatProblem, InvalidConfigError, type Problem } from './problem.ts'
export type * from './beam-config.generated.ts'
export { beamPaths, ensureFolders, type Environment } from './paths.ts'
