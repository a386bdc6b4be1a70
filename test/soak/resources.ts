import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const MIB = 1 << 20

/** What this process holds. */
export interface Resources {
  readonly heapMib: number
  /** Buffers outside of the heap. */
  readonly buffersMib: number
  readonly residentMib: number
  /** Open file descriptors; 0 where /proc does not tell. */
  readonly descriptors: number
  /** Timers, sockets, servers, … that are active, by kind. */
  readonly active: Readonly<Record<string, number>>
  /** Processes that it started and that run. */
  readonly children: readonly number[]
}

/** Looks after everything that can be collected is. */
export async function resources(): Promise<Resources> {
  for (let times = 0; times < 3; times++) {
    globalThis.gc?.()
    await delay(100)
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  const active: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) active[kind] = (active[kind] ?? 0) + 1
  return {
    heapMib: heapUsed / MIB,
    buffersMib: arrayBuffers / MIB,
    residentMib: rss / MIB,
    descriptors: descriptors(),
    active,
    children: children(),
  }
}

export function describeResources({ heapMib, buffersMib, residentMib, descriptors, active, children }: Resources): string {
  const kinds = Object.entries(active).map(([kind, count]) => `${kind} ${count}`)
  const sizes = `heap ${heapMib.toFixed(1)} MiB, buffers ${buffersMib.toFixed(1)} MiB, resident ${residentMib.toFixed(0)} MiB`
  return `${sizes}, ${descriptors} descriptors, ${children.length} processes; ${kinds.join(', ')}`
}

function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

function children(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => isChild(pid))
      .map(Number)
  } catch {
    return []
  }
}

function isChild(pid: string): boolean {
  try {
    const [, state, parent] = /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
    return state !== 'Z' && Number(parent) === process.pid
  } catch {
    return false
  }
}
