import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Made when the first plugin of a package or folder is loaded: following calls through timers and promises slows the whole process down
 * (by some 15 % of CPU for a tunnel), and the built-in networks need nobody to blame.
 */
let current: AsyncLocalStorage<string> | undefined

/** From now on code of plugins is followed. */
export function startAttribution(): void {
  current ??= new AsyncLocalStorage<string>()
}

/** Runs code of a plugin so that what it starts (timers, promises, sockets) can be traced back to it. */
export function attributed<T>(plugin: string, work: () => T): T {
  return current === undefined ? work() : current.run(plugin, work)
}

/** Runs what a plugin calls, but did not write. */
export function unattributed<T>(work: () => T): T {
  return current?.getStore() === undefined ? work() : current.exit(work)
}

/** The plugin whose code started what runs now; undefined when it is nobody's or ours. */
export function currentPlugin(): string | undefined {
  return current?.getStore()
}
