/**
 * The configuration: finding, reading, checking and editing beam.config.yaml.
 * @packageDocumentation
 */
export { loadConfig, locateConfig, resolveConfig, type LoadedConfig, type LoadOptions } from './load-config.ts'
export type { CatalogueOptions, PluginSources } from './catalogue.ts'
export { KNOWN_BACKENDS, type KnownBackend } from './known-backends.ts'
export { editConfig, type Change, type EditResult } from './edit-config.ts'
export { userFile } from './staged-edit.ts'
export { CONFIG_FILE_NAMES } from './find.ts'
export { initConfig } from './init-config.ts'
export { parseKeyPath } from './key-path.ts'
export { maskSecrets } from './mask.ts'
export { getSetting } from './setting.ts'
export { formatProblem, InvalidConfigError, type Problem } from './problem.ts'
export type * from './beam-config.generated.ts'
export { beamPaths } from './paths.ts'
export { declareOwn } from './validator.ts'
