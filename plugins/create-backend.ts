import type { NetworkBackend } from '../core/index.ts'
import { assemble, type BeamOptions } from './assemble.ts'

/**
 * One backend by itself, made and configured as in a Beam instance, but not started; the caller ends it. Each call makes a new one: for
 * the conformance suite and for tools.
 * @throws ConfigError (`BEAM_ERR_BACKEND_UNKNOWN`), BackendUnavailableError (`BEAM_ERR_BACKEND_NOT_INSTALLED`), PluginError,
 *   InvalidConfigError
 *
 * @example
 * await using mesh = await createBackend('mesh', { configFile: true })
 * await mesh.initialize()
 */
export async function createBackend(name: string, options: BeamOptions = {}): Promise<NetworkBackend> {
  const { backends } = await assemble(options)
  return backends.make(name)
}
