import { Ajv2020 } from 'ajv/dist/2020.js'
import { API_VERSION, PluginError } from '../core/index.ts'

/** What `package.json` says of a plugin under `beam`. */
export interface Manifest {
  /** The name of its backend, as far as it can be told without running its code. */
  readonly backend: string
  readonly version?: string
  /** The module that exports the plugin, relative to the package's folder. */
  readonly plugin: string
  readonly apiVersion: number
}

interface PackageFile {
  readonly name?: string
  readonly version?: string
  readonly beam: { readonly plugin: string; readonly apiVersion: number; readonly backend?: string }
}

const ajv = new Ajv2020({ allErrors: true, strict: false, meta: false, validateSchema: false })
const check = ajv.compile<PackageFile>({
  type: 'object',
  required: ['beam'],
  properties: {
    name: { type: 'string', maxLength: 214 },
    version: { type: 'string', maxLength: 256 },
    beam: {
      type: 'object',
      required: ['plugin', 'apiVersion'],
      additionalProperties: false,
      properties: {
        // Inside the package's folder: a manifest must not make Beam run anything else.
        plugin: { type: 'string', pattern: '^\\./(?!(.*/)?\\.\\.(/|$))[^\\\\]+$', maxLength: 1024 },
        apiVersion: { type: 'integer' },
        backend: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}$' },
      },
    },
  },
})

/**
 * The manifest in the text of a package.json, checked before any code of the package runs.
 *
 * @param source what the user wrote in the configuration, for messages
 * @throws PluginError
 */
export function parseManifest(text: string, source: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PluginError(`The package.json of the plugin ${source} is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (!check(value)) {
    const isPlugin = typeof value === 'object' && value !== null && 'beam' in value
    throw new PluginError(
      isPlugin
        ? `The package.json of the plugin ${source} describes it wrongly: ${ajv.errorsText(check.errors, { dataVar: 'package.json' })}.`
        : `${source} is no Beam plugin: its package.json has no "beam".`,
      { hint: `It looks like "beam": { "plugin": "./dist/index.js", "apiVersion": ${API_VERSION} }.` },
    )
  }
  const { plugin, apiVersion, backend = likelyName(value.name ?? source) } = value.beam
  if (apiVersion !== API_VERSION) throw wrongVersion(source, apiVersion)
  return { backend, plugin, apiVersion, ...(value.version === undefined ? {} : { version: value.version }) }
}

/** The backend's name that a package's name, or a folder's, suggests: `@me/beam-backend-tin-can` → `tin-can`. */
export function likelyName(source: string): string {
  const last = source.split(/[/\\]/).findLast((part) => part !== '') ?? source
  return last.replace(/^beam-(?:backend-|plugin-)?/, '')
}

/** The error of a plugin that was written for another version of the contract. */
export function wrongVersion(source: string, apiVersion: unknown): PluginError {
  const newer = typeof apiVersion === 'number' && apiVersion > API_VERSION
  return new PluginError(
    `The plugin ${source} is written for version ${String(apiVersion)} of the plugin interface; this Beam has version ${API_VERSION}.`,
    {
      hint: newer ? 'Update Beam, or use an older version of the plugin.' : 'Use a newer version of the plugin.',
    },
  )
}
