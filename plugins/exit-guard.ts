/**
 * Keeps plugins from ending the process, and with it the tunnels of all other networks: a plugin that calls `process.exit` or
 * `process.abort` gets an exception in its place. What ends a process otherwise (a signal that it sends itself, a fault in native code)
 * is out of reach; a backend that is not trusted so far runs as an executable.
 */
import { fileURLToPath } from 'node:url'
import { PluginError } from '../core/index.ts'

/** The two ways to end a process at once. */
const ENDINGS = ['exit', 'abort'] as const

/** Where Beam's own code is. */
const OWN_FOLDER = fileURLToPath(new URL('..', import.meta.url)).replaceAll('\\', '/')

/** Finds the plugin that a call came from; `foreign` = no code of Beam stands in its stack. */
type Blame = (call: Error, foreign: boolean) => { readonly name: string } | undefined

/** Guards the process until the returned function is called. */
export function guardExit(blame: Blame): () => void {
  const restore = ENDINGS.map((name) => {
    const original = process[name].bind(process) as (code?: number) => never
    const own = Object.getOwnPropertyDescriptor(process, name)
    const guarded = (code?: number): never => {
      const call = new Error(name)
      Error.captureStackTrace(call, guarded)
      const plugin = blame(call, !(call.stack ?? '').replaceAll('\\', '/').includes(OWN_FOLDER))
      if (plugin === undefined) return original(code)
      const refusal = new PluginError(`The plugin ${plugin.name} tried to end the process (process.${name}).`)
      Error.captureStackTrace(refusal, guarded)
      throw refusal
    }
    process[name] = guarded
    return () => {
      // Somebody else may have put a function of their own in its place since.
      if (process[name] === guarded && own !== undefined) Object.defineProperty(process, name, own)
    }
  })
  return () => {
    for (const undo of restore) undo()
  }
}
