import { pathToFileURL } from 'node:url'
import { API_VERSION, PluginError, within, type BeamPlugin } from '../core/index.ts'
import { attributed } from './attribution.ts'
import { watchFaults } from './faults.ts'
import { wrongVersion } from './manifest.ts'
import type { FoundPlugin } from './plugin-source.ts'

/** Loading is reading files; a module that waits at its top level for longer waits for something else. */
const LOAD_LIMIT_MS = 10_000
/** Names of backends: short, lower-case, safe in file names and flags. */
const NAME = /^[a-z][a-z0-9-]{0,31}$/

/**
 * Runs a plugin's module and takes the plugin from it: its default export, or the export called `plugin`.
 * @throws PluginError naming the plugin, whatever is wrong with it.
 */
export async function loadPlugin({ source, folder, entry }: FoundPlugin, limitMs: number = LOAD_LIMIT_MS): Promise<BeamPlugin> {
  let module: Record<string, unknown>
  const fault = new AbortController()
  const unwatch = watchFaults({ name: source, folder, onFault: (error) => fault.abort(error) })
  try {
    const work = attributed(source, () => import(pathToFileURL(entry).href) as Promise<Record<string, unknown>>)
    module = await within(work, { ms: limitMs, what: `Loading the plugin ${source}`, signal: fault.signal })
  } catch (cause) {
    throw loadError(source, entry, cause)
  } finally {
    unwatch()
  }
  const value = module['default'] ?? module['plugin']
  if (value === undefined) {
    throw new PluginError(`The plugin ${source} exports no plugin.`, { hint: 'Its module must have: export default definePlugin({ … })' })
  }
  return checkPlugin(value, source)
}

/**
 * A value that claims to be a plugin, checked.
 * @throws PluginError
 */
export function checkPlugin(value: unknown, source: string): BeamPlugin {
  const fail = (why: string): PluginError => new PluginError(`The plugin ${source} is none: ${why}.`)
  if (typeof value !== 'object' || value === null) throw fail(`its export is ${value === null ? 'null' : typeof value}`)
  const plugin = value as Partial<BeamPlugin>
  if (plugin.apiVersion !== API_VERSION) throw wrongVersion(source, plugin.apiVersion)
  if (typeof plugin.name !== 'string' || !NAME.test(plugin.name)) {
    throw fail(`its name is ${JSON.stringify(plugin.name)} instead of at most 32 lower-case letters, digits and hyphens`)
  }
  if (typeof plugin.create !== 'function') throw fail('it has no function create')
  if (typeof plugin.configSchema !== 'object' || plugin.configSchema === null) throw fail('it has no configSchema')
  const { initializeLimitMs: limit } = plugin
  if (limit !== undefined && !(typeof limit === 'number' && limit > 0)) throw fail('its initializeLimitMs is no number of milliseconds')
  return plugin as BeamPlugin
}

function loadError(source: string, entry: string, cause: unknown): PluginError {
  const { code, message } = cause as NodeJS.ErrnoException
  if (
    code === 'ERR_UNKNOWN_FILE_EXTENSION' ||
    code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING' ||
    code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  ) {
    return new PluginError(`The plugin ${source} is TypeScript, which Node ${process.versions.node} does not run here.`, {
      hint: 'Build it to JavaScript and name that in its package.json, or use Node 22.18 or newer (which runs TypeScript outside node_modules).',
      cause,
    })
  }
  const text = cause instanceof Error ? message : String(cause)
  return new PluginError(`The plugin ${source} could not be loaded: ${text}`, { hint: `Its module is ${entry}.`, cause })
}
