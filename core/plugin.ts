import type { NetworkBackend } from './backend.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { BeamPaths } from './paths.ts'

/** The version of the contract between Beam and a plugin. A plugin that was written for another one is refused. */
export const API_VERSION = 1

/** What a plugin is given: its own validated configuration and the few services it may use. */
export interface PluginContext<Config = unknown> {
  readonly config: Config
  readonly logger: Logger
  readonly clock: Clock
  readonly paths: BeamPaths
}

/** A JSON Schema (draft 2020-12) as a plain value. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A backend in a package: a value with a name, an API version, the schema of its configuration block and one function. */
export interface BeamPlugin<Config = unknown> {
  readonly name: string
  readonly apiVersion: number
  /** One line for lists. */
  readonly description?: string
  readonly configSchema: JsonSchema
  /** How long `initialize` may take, in milliseconds, where the network is slow to start. Default: 30 s; at most 10 minutes. */
  readonly initializeLimitMs?: number
  /** How long `startTunnel` may take, in milliseconds, where publishing is slow. Default: 2 minutes; at most 10 minutes. */
  readonly startLimitMs?: number
  /** Makes the backend. Must do no I/O. */
  create(context: PluginContext<Config>): NetworkBackend
}

/**
 * States a plugin with its types checked.
 *
 * @example
 * export default definePlugin({ name: 'tin-can', apiVersion: 1, configSchema: { type: 'object' }, create: ({ logger }) => new TinCan(logger) })
 */
export function definePlugin<Config>(plugin: BeamPlugin<Config>): BeamPlugin<Config> {
  return plugin
}
