import type { JsonSchema } from '../core/index.ts'
import { variablesOf } from './environment.ts'
import { KNOWN_BACKENDS, type KnownBackend } from './known-backends.ts'
import { isMap } from './key-path.ts'
import { nearest } from './nearest.ts'
import { listWords } from './show-value.ts'
import { requireUsable } from './validator.ts'

/** The schema of an installed backend's own settings; undefined when no backend of this name is installed. */
export type SchemaOf = (name: string) => JsonSchema | undefined | Promise<JsonSchema | undefined>

/** What a configuration names to be loaded, for a caller that looks into plugins before it answers. */
export interface PluginSources {
  /** The entries of `plugins`. */
  readonly plugins: readonly string[]
  /** What relative entries refer to. */
  readonly folder: string
}

/** Who knows which backends there are. */
export interface CatalogueOptions {
  /** Default: no backend is installed. */
  readonly schemaOf?: SchemaOf
  /** Names that are no mistake, installed or not. A function is asked before `schemaOf`, with the plugins of the file. */
  readonly knownBackends?: KnownBackends | ((sources: PluginSources) => KnownBackends | Promise<KnownBackends>)
  /** Plugins that could not be loaded, asked after `knownBackends`: warnings, since the other backends go on. */
  readonly failures?: readonly FailedPlugin[]
}

/** A plugin that could not be loaded. */
export interface FailedPlugin {
  /** The entry of `plugins`. */
  readonly source: string
  readonly error: Error
}

/** Names, or names with how to get them. */
export type KnownBackends = readonly (string | KnownBackend)[]

/** Whether a backend can be used. */
export type Standing =
  | { readonly state: 'installed'; readonly schema: JsonSchema }
  | { readonly state: 'missing'; readonly message: string; readonly hint: string }
  | { readonly state: 'broken'; readonly message: string; readonly cause: unknown }
  | { readonly state: 'unknown'; readonly message: string }

/** Tells which backends are installed, known or neither. */
export interface Catalogue {
  /** The schema of a backend's own settings; undefined when it is not installed. */
  readonly schemaOf: SchemaOf
  standing(name: string): Promise<Standing>
  /** Environment variables that the installed backends read. */
  variables(): Promise<string[]>
}

/** The entries of `plugins`, as far as they are texts. */
export function pluginsOf(config: unknown): string[] {
  const plugins = isMap(config) ? config['plugins'] : undefined
  return Array.isArray(plugins) ? plugins.filter((name) => typeof name === 'string') : []
}

/** The backends as the caller knows them. */
export async function openCatalogue(options: CatalogueOptions, sources: PluginSources): Promise<Catalogue> {
  const { knownBackends = KNOWN_BACKENDS, schemaOf = () => undefined, failures = [] } = options
  const given = typeof knownBackends === 'function' ? await knownBackends(sources) : knownBackends
  const known = given.map((entry) => (typeof entry === 'string' ? { name: entry } : entry))
  const names = known.map(({ name }) => name)
  return {
    schemaOf,
    async standing(name) {
      const schema = await schemaOf(name)
      if (schema !== undefined) return installed(name, schema)
      const entry = known.find((backend) => backend.name === name)
      const shown = JSON.stringify(name)
      if (entry !== undefined) {
        const hint = entry.hint ?? `Install a package that provides it: beam plugins add <package>, and name the package under plugins.`
        return { state: 'missing', message: `the backend ${shown} is known but not installed`, hint }
      }
      if (failures.length > 0) return perhapsOf(failures, shown)
      const guess = nearest(name, names)
      const suggestion = guess === undefined ? '; there are' : `; did you mean "${guess}"? There are`
      return { state: 'unknown', message: `no backend is called ${shown}${suggestion}: ${listWords(names)}` }
    },
    async variables() {
      const schemas = await Promise.all(names.map(async (name) => schemaOf(name)))
      return schemas.flatMap((schema) => (schema === undefined ? [] : variablesOf(schema)))
    },
  }
}

function installed(name: string, schema: JsonSchema): Standing {
  try {
    requireUsable(schema)
    return { state: 'installed', schema }
  } catch (cause) {
    const message = `the schema that the backend ${JSON.stringify(name)} brings for its settings cannot be used: ${(cause as Error).message}`
    return { state: 'broken', message, cause }
  }
}

/** A name that nobody knows may belong to a plugin that could not be asked. */
function perhapsOf(failures: readonly FailedPlugin[], shown: string): Standing {
  const sources = listWords(failures.map(({ source }) => source))
  return {
    state: 'missing',
    message: `no backend is called ${shown}; it may be one of a plugin that was not loaded: ${sources}`,
    hint: 'Mend or remove the plugin; beam config validate says what is wrong with it.',
  }
}
