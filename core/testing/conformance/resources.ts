import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { sleep } from '../../clock.ts'

/** Kinds of resources that keep something open, by Node's names, and what people call them. */
const KINDS: Readonly<Record<string, string>> = {
  TCPWRAP: 'TCP socket',
  TCPSERVERWRAP: 'TCP listener',
  UDPWRAP: 'UDP socket',
  PIPEWRAP: 'pipe',
  PIPESERVERWRAP: 'pipe listener',
  PROCESSWRAP: 'child process',
  FSEVENTWRAP: 'file watcher',
  WORKER: 'worker',
  Timeout: 'timer',
}
/** Requests that go out without a handle of their own. */
const REQUESTS: Readonly<Record<string, string>> = { GETADDRINFOREQWRAP: 'DNS look-up', QUERYWRAP: 'DNS query' }
/** How often open resources are counted again. */
const POLL_MS = 10

/** Something that code opened. */
export interface Resource {
  readonly kind: string
  /** The code that opened it. */
  readonly where: string
  readonly handle: { hasRef?(): boolean | undefined; readonly _destroyed?: boolean }
}

/**
 * Counts what code opens and does not close: sockets, listeners, timers, child processes, also those that do not keep the process alive
 * (`process.getActiveResourcesInfo()` leaves these out). It hears of resources from Node's async hooks and belongs to the code that runs
 * inside `run`, so that what the test runner does at the same time is not counted. Native code that talks to libuv itself is not seen.
 */
export class ResourceTracker {
  readonly #store = new AsyncLocalStorage<true>()
  readonly #resources = new Map<number, Resource>()
  readonly #requests: string[] = []
  readonly #hook = createHook({
    init: (id, type, trigger, resource) => {
      // A socket that a listener accepts is made outside of any context; its trigger is the listener.
      if (this.#store.getStore() !== true && !this.#resources.has(trigger)) return
      const kind = KINDS[type]
      if (kind !== undefined) this.#note(id, kind, resource as Resource['handle'])
      const request = REQUESTS[type]
      if (request !== undefined) this.#requests.push(request)
    },
  })

  constructor() {
    this.#hook.enable()
  }

  #note(id: number, kind: string, handle: Resource['handle']): void {
    const stack = new Error().stack?.split('\n').slice(1) ?? []
    // The timer of AbortSignal.timeout cannot be cleared, keeps nothing alive and goes with its signal: nobody left it behind.
    if (stack.some((line) => line.includes('AbortSignal.timeout'))) return
    this.#resources.set(id, { kind, where: callerIn(stack), handle })
  }

  /** Runs code whose resources count. */
  run<T>(body: () => T): T {
    return this.#store.run(true, body)
  }

  /** What is open now. */
  open(): readonly Resource[] {
    return [...this.#resources.values()].filter(isOpen)
  }

  /** Everything that was opened since the start, closed or not; timers and files do not count as I/O on the network. */
  touchedNetwork(): readonly string[] {
    const opened = [...this.#resources.values()].map(({ kind }) => kind)
    return [...opened.filter((kind) => kind !== 'timer' && kind !== 'file watcher'), ...this.#requests]
  }

  /** What is open beyond what was open before, and where it was opened; waits for closing to come through, `graceMs` at most. */
  async settled(before: readonly Resource[], graceMs: number): Promise<readonly string[]> {
    const until = performance.now() + graceMs
    let left = excess(this.open(), before)
    while (left.length > 0 && performance.now() < until) {
      await sleep(POLL_MS)
      left = excess(this.open(), before)
    }
    return left.map(({ kind, where }) => `${kind} (${where})`)
  }

  stop(): void {
    this.#hook.disable()
    this.#resources.clear()
  }
}

/** A closed handle has no answer to `hasRef`; a timer that ran out or was cleared is marked. */
function isOpen({ kind, handle }: Resource): boolean {
  return kind === 'timer' ? handle._destroyed === false : typeof handle.hasRef?.() === 'boolean'
}

/** Compared by kind: a timer that was set anew takes the place of the one before. */
function excess(open: readonly Resource[], before: readonly Resource[]): readonly Resource[] {
  const allowed = before.map(({ kind }) => kind)
  return open.filter(({ kind }) => {
    const index = allowed.indexOf(kind)
    if (index >= 0) allowed.splice(index, 1)
    return index < 0
  })
}

/** The first line of the stack that is neither Node's nor this file's. */
function callerIn(stack: readonly string[]): string {
  const line = stack.find((one) => !one.includes('node:') && !one.includes('resources.'))
  return line?.trim().replace(/^at /, '') ?? 'opened by Node itself'
}
