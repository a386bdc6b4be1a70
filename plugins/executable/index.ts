/**
 * Backends in any language: an executable that speaks JSON-RPC 2.0 on its standard streams (docs/executable-backends.md).
 * @packageDocumentation
 */
import type { Dialler, NetworkBackend, PluginContext } from '../../core/index.ts'
import { ExecutableBackend } from './executable-backend.ts'
import type { ExecutableOptions } from './options.ts'

export { ExecutableBackend } from './executable-backend.ts'
export type { ExecutableOptions } from './options.ts'

/**
 * A backend that is an executable. Nothing runs before `initialize`.
 * @throws ConfigError when the options are wrong
 *
 * @example
 * const backend = executableBackend({ name: 'py-loop', command: ['python3', 'py_loop.py'] }, context)
 */
export function executableBackend(options: ExecutableOptions, context: Omit<PluginContext, 'config'>): NetworkBackend & Dialler {
  return new ExecutableBackend(options, context)
}
