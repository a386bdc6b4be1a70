/**
 * Faults that a plugin does not catch itself: an unhandled rejection or an exception in a callback. Without this they would end the
 * process, and with it the tunnels of all other networks. Only plugins of packages and folders are watched, and only their own faults are
 * taken; everything else has its usual effect.
 */
import { inspect } from 'node:util'
import { currentPlugin, startAttribution } from './attribution.ts'
import { guardExit } from './exit-guard.ts'

/** What kind of fault it was. After an exception the state of the plugin is anybody's guess. */
export type FaultKind = 'rejection' | 'exception'

/** A plugin whose faults are caught. */
export interface WatchedPlugin {
  readonly name: string
  /** Its folder, as it stands in stack traces. */
  readonly folder: string
  onFault(error: unknown, kind: FaultKind): void
}

const watched = new Set<WatchedPlugin>()
let unguardExit = (): void => {}

/** Catches the faults of a plugin until the returned function is called; it cannot end the process meanwhile. */
export function watchFaults(plugin: WatchedPlugin): () => void {
  if (watched.size === 0) {
    startAttribution()
    process.on('unhandledRejection', onRejection)
    process.on('uncaughtException', onException)
    unguardExit = guardExit((call, foreign) => culprit(call, watched, foreign ? currentPlugin() : undefined))
  }
  watched.add(plugin)
  return () => {
    watched.delete(plugin)
    if (watched.size > 0) return
    process.off('unhandledRejection', onRejection)
    process.off('uncaughtException', onException)
    unguardExit()
  }
}

/**
 * Which of the plugins an error belongs to: the one whose file stands in its stack; else, when nobody's file but those of libraries does,
 * the one whose code was running.
 */
export function culprit<P extends { readonly name: string; readonly folder: string }>(
  error: unknown,
  plugins: Iterable<P>,
  running: string | undefined,
): P | undefined {
  const frames = (error instanceof Error ? (error.stack ?? '') : '')
    .split('\n')
    .filter((line) => /^\s+at .*[/\\]/.test(line) && !/[ (]node:/.test(line))
  const all = [...plugins]
  const named = all.find(({ folder }) => frames.some((frame) => inFolder(frame, folder)))
  if (named !== undefined) return named
  return frames.every((frame) => /[/\\]node_modules[/\\]/.test(frame)) ? all.find(({ name }) => name === running) : undefined
}

/** Whether a fault belongs to a watched plugin, which is then told of it: a handler of the program's own has nothing to do with it. */
export function isPluginFault(error: unknown): boolean {
  return culprit(error, watched, currentPlugin()) !== undefined
}

function inFolder(frame: string, folder: string): boolean {
  const slashes = folder.replaceAll('\\', '/')
  return frame.replaceAll('\\', '/').includes(`${slashes}/`)
}

function onRejection(reason: unknown): void {
  const plugin = culprit(reason, watched, currentPlugin())
  if (plugin !== undefined) plugin.onFault(reason, 'rejection')
  // What Node does when nobody listens: an unhandled rejection is an uncaught exception.
  else if (process.listenerCount('unhandledRejection') === 1) throw reason
}

function onException(error: unknown): void {
  const plugin = culprit(error, watched, currentPlugin())
  if (plugin !== undefined) {
    plugin.onFault(error, 'exception')
  } else if (process.listenerCount('uncaughtException') === 1) {
    process.stderr.write(`${inspect(error)}\n`)
    process.exit(1)
  }
}
