import { createRequire } from 'node:module'
import { KNOWN_BACKENDS } from '../config/index.ts'
import { isBeamError, type BackendCapabilities, type BackendStatus, type JsonSchema } from '../core/index.ts'
import { assemble, type BeamOptions, type Parts } from './assemble.ts'

/** Whether a backend can be used, and whether tunnels without a list of their own use it. */
export type BackendStanding = 'enabled' | 'installed' | 'failed' | 'not installed'

/** A backend as `beam backend` shows it. */
export interface BackendOverview {
  readonly name: string
  readonly standing: BackendStanding
  /** Lower comes first; absent where the configuration does not name it. */
  readonly priority?: number
  /** `built-in`, `given`, `executable`, what the configuration calls its plugin; absent when nothing brings it. */
  readonly source?: string
  /** Of the package that brings it. */
  readonly version?: string
  readonly description?: string
  /** Absent for executables that were not started, and for what cannot be used. */
  readonly capabilities?: BackendCapabilities
  /** Of its block in the configuration; executables have none. */
  readonly configSchema?: JsonSchema
  /** Why it failed, or how to get it. */
  readonly reason?: string
}

/** A backend that was started to be asked. */
export interface StartedOverview extends BackendOverview {
  readonly status?: BackendStatus
}

/**
 * Every backend that is built in, configured, brought by a plugin, or known by name: the enabled ones by priority, then the others.
 * Starts none.
 * @throws InvalidConfigError
 */
export async function backendOverviews(options: BeamOptions): Promise<readonly BackendOverview[]> {
  const parts = await assemble(options)
  await using _registry = parts.registry
  const { config, host } = parts
  const names = [
    ...config.config.backends.map(({ name }) => name),
    ...host.names(),
    ...host.failures.map(({ backend }) => backend),
    ...KNOWN_BACKENDS.map(({ name }) => name),
  ]
  const all = await Promise.all([...new Set(names)].map((name) => overview(name, parts)))
  return all.toSorted((a, b) => STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) || rank(a) - rank(b))
}

/**
 * One backend. With `start` it is brought up for the purpose, asked for its status and ended again, which uses its network.
 * @throws ConfigError (`BEAM_ERR_BACKEND_UNKNOWN`), InvalidConfigError; with `start` also why it does not start
 */
export async function backendOverview(
  name: string,
  options: BeamOptions & { readonly start?: boolean; readonly signal?: AbortSignal },
): Promise<StartedOverview> {
  const { start = false, signal, ...rest } = options
  const parts = await assemble(rest)
  await using _registry = parts.registry
  const found = await overview(name, parts)
  if (found.standing === 'not installed' || found.standing === 'failed') {
    // A name that nobody knows is a mistake, with the nearest match in its message.
    await parts.backends.use(name).catch((error: unknown) => {
      if (start || (isBeamError(error) && error.code === 'BEAM_ERR_BACKEND_UNKNOWN')) throw error
    })
    return found
  }
  if (!start) return found
  const slot = await parts.backends.use(name)
  await slot.ready(signal === undefined ? {} : { signal })
  const status = await parts.registry.status(name)
  return { ...found, capabilities: slot.capabilities, ...(status === undefined ? {} : { status }) }
}

const STANDINGS: readonly BackendStanding[] = ['enabled', 'installed', 'failed', 'not installed']

function rank({ priority = Infinity }: BackendOverview): number {
  return Math.min(priority, Number.MAX_SAFE_INTEGER)
}

async function overview(name: string, { backends, config, host }: Parts): Promise<BackendOverview> {
  const entry = config.config.backends.find((one) => one.name === name)
  const head = { name, ...(entry === undefined ? {} : { priority: entry.priority }) }
  const usable = { ...head, standing: entry?.enabled === true ? 'enabled' : 'installed' } as const
  if (entry?.command !== undefined) return { ...usable, source: 'executable', description: entry.command.join(' ') }
  const failure = host.failures.find(({ backend }) => backend === name)
  const source = host.sourceOf(name) ?? failure?.source
  const from = source === undefined ? {} : { source }
  try {
    const { capabilities } = await backends.use(name)
    const loaded = await host.find(name)
    const version = loaded?.source === 'built-in' ? ownVersion() : loaded?.version
    return {
      ...usable,
      ...from,
      ...(version === undefined ? {} : { version }),
      ...(loaded?.plugin.description === undefined ? {} : { description: loaded.plugin.description }),
      capabilities,
      ...(loaded === undefined ? {} : { configSchema: loaded.plugin.configSchema }),
    }
  } catch (error) {
    const known = isBeamError(error) && (error.code === 'BEAM_ERR_BACKEND_NOT_INSTALLED' || error.code === 'BEAM_ERR_BACKEND_UNKNOWN')
    const reason = known ? (error.hint ?? error.message) : (error as Error).message
    return { ...head, standing: known ? 'not installed' : 'failed', ...from, reason }
  }
}

function ownVersion(): string {
  return (createRequire(import.meta.url)('beam-tunnel/package.json') as { readonly version: string }).version
}
