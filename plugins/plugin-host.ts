import { join } from 'node:path'
import { declareOwn, KNOWN_BACKENDS, type CatalogueOptions, type KnownBackend, type PluginSources } from '../config/index.ts'
import { PluginError, type BeamPaths, type BeamPlugin, type JsonSchema, type Logger } from '../core/index.ts'
import { BUILTINS } from './builtins.ts'
import { checkPlugin, loadPlugin } from './load-plugin.ts'
import { likelyName } from './manifest.ts'
import { findPlugin } from './plugin-source.ts'

/** A plugin that could not be loaded. */
export interface PluginFailure {
  readonly source: string
  /** The backend that it would have brought, as far as that is known. */
  readonly backend: string
  readonly error: Error
}

/** A loaded plugin and where it is from. */
export interface LoadedPlugin {
  readonly plugin: BeamPlugin
  /** `built-in`, `given`, or what the configuration calls it. */
  readonly source: string
  /** Where its code is, when it was loaded from a package or folder. */
  readonly folder?: string
  /** Of its package, when it says one. */
  readonly version?: string
}

/** What a host is made of. */
export interface PluginHostSetup {
  readonly paths: Pick<BeamPaths, 'data'>
  readonly logger: Logger
  /** Plugins given as values. */
  readonly plugins?: readonly BeamPlugin[]
}

/**
 * Knows all plugins of a Beam instance: built-in ones, given ones, packages and folders that the configuration names. A plugin that fails
 * to load is remembered with its error and keeps nobody else from working; a name that is taken is refused.
 */
export class PluginHost implements CatalogueOptions {
  readonly failures: PluginFailure[] = []
  readonly #setup: PluginHostSetup
  readonly #plugins = new Map<string, LoadedPlugin>()
  readonly #sources = new Set<string>()

  constructor(setup: PluginHostSetup) {
    this.#setup = setup
    for (const plugin of setup.plugins ?? [])
      this.#add({ plugin: checkPlugin(plugin, String((plugin as Partial<BeamPlugin>).name)), source: 'given' })
  }

  /** The names of all backends that can be used. */
  names(): readonly string[] {
    return [...new Set([...Object.keys(BUILTINS), ...this.#plugins.keys()])]
  }

  /** A plugin by the name of its backend; built-in ones are loaded now. Undefined when there is none. */
  async find(name: string): Promise<LoadedPlugin | undefined> {
    const known = this.#plugins.get(name)
    if (known !== undefined) return known
    const load = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined
    if (load === undefined) return undefined
    try {
      const plugin = await load()
      declareOwn(plugin.configSchema)
      this.#plugins.set(name, { plugin, source: 'built-in' })
      return { plugin, source: 'built-in' }
    } catch (cause) {
      const error = new PluginError(`The backend ${name} could not be loaded: ${(cause as Error).message}`, { cause })
      this.#failed({ source: 'built-in', backend: name, error })
      throw error
    }
  }

  /** Why a backend is not there, when its plugin failed to load. */
  failureOf(name: string): Error | undefined {
    return this.failures.find(({ backend }) => backend === name)?.error
  }

  /** Where a plugin is from, without loading it. */
  sourceOf(name: string): string | undefined {
    return this.#plugins.get(name)?.source ?? (Object.hasOwn(BUILTINS, name) ? 'built-in' : undefined)
  }

  /** Loads packages and folders. Never rejects: what failed is in `failures`. */
  async load({ plugins, folder }: PluginSources): Promise<void> {
    const installed = join(this.#setup.paths.data, 'plugins')
    for (const source of plugins) {
      if (this.#sources.has(source)) continue
      this.#sources.add(source)
      let backend = likelyName(source)
      try {
        const found = await findPlugin(source, { folder, installed })
        backend = found.manifest.backend
        const { version } = found.manifest
        this.#add({ plugin: await loadPlugin(found), source, folder: found.folder, ...(version === undefined ? {} : { version }) })
      } catch (error) {
        this.#failed({ source, backend, error: error as Error })
      }
    }
  }

  /** For the configuration: the schema of a backend's own block. */
  readonly schemaOf = async (name: string): Promise<JsonSchema | undefined> => {
    try {
      return (await this.find(name))?.plugin.configSchema
    } catch {
      // It is in `failures`; the configuration says «not installed», and who uses it gets the error itself.
      return undefined
    }
  }

  /** For the configuration: loads the plugins that it names and tells which names there are. */
  readonly knownBackends = async (sources: PluginSources): Promise<readonly (string | KnownBackend)[]> => {
    await this.load(sources)
    const known = new Set(KNOWN_BACKENDS.map(({ name }) => name))
    const failed = this.failures.map(({ backend, error }) => ({ name: backend, hint: error.message }))
    const loaded = this.names().map((name) => ({ name }))
    return [...KNOWN_BACKENDS, ...[...loaded, ...failed].filter(({ name }) => !known.has(name))]
  }

  #failed(failure: PluginFailure): void {
    this.failures.push(failure)
    this.#setup.logger.error('a plugin was not loaded', { plugin: failure.source, reason: failure.error.message })
  }

  #add(loaded: LoadedPlugin): void {
    const { plugin, source } = loaded
    const taken = this.sourceOf(plugin.name)
    if (taken !== undefined) {
      throw new PluginError(`The plugin ${source} calls itself ${plugin.name}, and so does another one (${taken}).`, {
        hint: 'Remove one of them from the configuration.',
      })
    }
    this.#plugins.set(plugin.name, loaded)
  }
}
