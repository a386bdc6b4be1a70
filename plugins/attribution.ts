import { AsyncLocalStorage } from 'node:async_hooks'

const current = new AsyncLocalStorage<string>()

/** Runs code of a plugin so that what it starts (timers, promises, sockets) can be traced back to it. */
export function attributed<T>(plugin: string, work: () => T): T {
  return current.run(plugin, work)
}

/** Runs what a plugin calls, but did not write. */
export function unattributed<T>(work: () => T): T {
  return current.exit(work)
}

/** The plugin whose code started what runs now; undefined when it is nobody's or ours. */
export function currentPlugin(): string | undefined {
  return current.getStore()
}
