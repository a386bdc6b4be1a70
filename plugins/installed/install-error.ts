import { BeamError } from '../../core/index.ts'

/** Something on this machine, or the registry, kept a package from being installed or removed; no fault of the plugin or the configuration. */
export function installError(message: string, options: { readonly hint?: string | undefined; readonly cause?: unknown } = {}): BeamError {
  return new BeamError('unavailable', message, { code: 'BEAM_ERR_PLUGIN_INSTALL', retry: 'later', ...options })
}
