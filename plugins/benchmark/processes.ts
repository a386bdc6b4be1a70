import { readFileSync } from 'node:fs'
import { allProcesses, parsePss, withDescendants } from './proc.ts'
import { askPs } from './ps.ts'

/** A process at the moment of asking. */
export interface ProcessSample {
  readonly pid: number
  readonly parent: number
  readonly name: string
  readonly cpuSeconds: number
  readonly memoryKib: number
}

/** How processes are looked at on this machine. */
export interface ProcessSource {
  /** `pss`: pages that processes share count by their share. `rss`: they count fully for each. */
  readonly memoryKind: 'pss' | 'rss'
  /** The processes `of` and all that descends from them. */
  look(of: readonly number[]): Promise<readonly ProcessSample[]>
}

/** /proc on Linux, `ps` on other systems; undefined where neither is there (Windows). */
export async function processSource(platform: NodeJS.Platform = process.platform): Promise<ProcessSource | undefined> {
  if (platform === 'linux') {
    return {
      memoryKind: 'pss',
      look: async (of) => withDescendants(of, allProcesses()).map((stat) => ({ ...stat, memoryKib: pssOf(stat.pid) })),
    }
  }
  try {
    await askPs()
  } catch {
    return undefined
  }
  return {
    memoryKind: 'rss',
    look: async (of) =>
      withDescendants(of, await askPs()).map(({ residentKib, cpuSeconds, ...rest }) => ({
        ...rest,
        cpuSeconds: rest.pid === process.pid ? ownCpuSeconds() : cpuSeconds,
        memoryKib: residentKib,
      })),
  }
}

/** Of this process, more precisely than `ps` tells it (hundredths of a second, on some systems whole ones). */
function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** 0 for a process that has just ended. */
function pssOf(pid: number): number {
  try {
    return parsePss(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  } catch {
    return 0
  }
}

/** What the processes of one owner use. */
export interface Usage {
  /** Of this process and of those of the owner. */
  readonly cpuSeconds: number
  /** Of those of the owner alone, in KiB; 0 when it has none. */
  readonly daemonsKib: number
  /** Of this process, in KiB. */
  readonly processKib: number
  /** Names of the owner's processes. */
  readonly names: readonly string[]
}

/**
 * Tells the children of this process apart: a child belongs to the owner who was busy when it was first seen, and what descends from it to
 * the same one. Daemons that ran before, and those that leave the family (double fork), are nobody's.
 */
export class ProcessBook {
  readonly #source: ProcessSource
  readonly #owners = new Map<number, string>()

  constructor(source: ProcessSource) {
    this.#source = source
  }

  get memoryKind(): 'pss' | 'rss' {
    return this.#source.memoryKind
  }

  /** Looks at this process and the owner's; children that nobody has yet become the owner's. */
  async usage(owner: string): Promise<Usage> {
    const all = await this.#source.look([process.pid])
    for (const { pid, parent } of all) if (parent === process.pid && !this.#owners.has(pid)) this.#owners.set(pid, owner)
    const roots = all.filter(({ pid }) => this.#owners.get(pid) === owner).map(({ pid }) => pid)
    const own = all.find(({ pid }) => pid === process.pid)
    const daemons = withDescendants(roots, all)
    return {
      cpuSeconds: daemons.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, own?.cpuSeconds ?? 0),
      daemonsKib: daemons.reduce((sum, { memoryKib }) => sum + memoryKib, 0),
      processKib: own?.memoryKib ?? 0,
      names: daemons.map(({ name }) => name),
    }
  }
}
