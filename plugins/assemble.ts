import { beamPaths, loadConfig, resolveConfig, type BeamConfigInput, type LoadedConfig } from '../config/index.ts'
import { silentLogger, systemClock, type BeamPaths, type BeamPlugin, type Clock, type Logger } from '../core/index.ts'
import { Backends } from './backends.ts'
import { createContainer } from './container.ts'
import { PluginHost } from './plugin-host.ts'
import { BackendRegistry } from './registry.ts'

/** Variables as the environment has them. */
type Environment = Readonly<Record<string, string | undefined>>

/** What a Beam instance is made of. Everything has a default. */
export interface BeamOptions {
  /** The configuration, as a plain value or as `loadConfig` gave it. Default: the mesh, with defaults. */
  readonly config?: BeamConfigInput | LoadedConfig
  /** Read a file instead: `true` looks for beam.config.yaml as the commands do, a text names the file. */
  readonly configFile?: true | string
  /** What relative paths in `config` refer to. Default: the working directory. */
  readonly folder?: string
  /** Default: writes nothing. */
  readonly logger?: Logger
  /** Where keys and state are kept. Default: this user's folders (`BEAM_HOME` moves them). */
  readonly paths?: BeamPaths
  readonly clock?: Clock
  /** Backends in addition to the built-in ones and to those that the configuration names. */
  readonly plugins?: readonly BeamPlugin[]
  /** Variables (`BEAM_*`) that override the configuration. Default: those of the process. */
  readonly env?: Environment
}

/** The parts of a Beam instance. */
export interface Parts {
  readonly config: LoadedConfig
  readonly host: PluginHost
  readonly backends: Backends
  readonly registry: BackendRegistry
  readonly logger: Logger
  readonly clock: Clock
  readonly paths: BeamPaths
}

/**
 * Puts the parts of a Beam instance together: the composition root. Loads the configuration and the plugins that it names; starts nothing.
 * @throws InvalidConfigError with every problem of the configuration
 */
export async function assemble(options: BeamOptions): Promise<Parts> {
  const { logger = silentLogger, clock = systemClock, env = process.env, paths = beamPaths(env), plugins } = options
  const host = new PluginHost({ paths, logger, ...(plugins === undefined ? {} : { plugins }) })
  const config = await configOf(options, { host, env, paths })
  for (const { path, message } of config.warnings) logger.warn('the configuration has a peculiarity', { path, reason: message })
  const root = createContainer({ logger, clock, paths })
  const registry = new BackendRegistry(root, logger)
  return { config, host, backends: new Backends({ host, registry, config, root }), registry, logger, clock, paths }
}

async function configOf(
  { config, configFile, folder }: BeamOptions,
  { host, env, paths }: { host: PluginHost; env: Environment; paths: BeamPaths },
): Promise<LoadedConfig> {
  const catalogue = { schemaOf: host.schemaOf, knownBackends: host.knownBackends, failures: host.failures, env }
  if (configFile !== undefined) return loadConfig({ ...catalogue, paths, ...(configFile === true ? {} : { file: configFile }) })
  if (config !== undefined && 'useBackend' in config) return resolveConfig(config.config, { ...catalogue, folder: config.folder })
  return resolveConfig(config ?? {}, { ...catalogue, ...(folder === undefined ? {} : { folder }) })
}
