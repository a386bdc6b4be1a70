import { readdirSync, readFileSync } from 'node:fs'

/** Ticks per second of the times in /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100

/** What is read of /proc/<pid>/stat (proc(5)). */
export interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** Name of the program, as the kernel cuts it (15 bytes). */
  readonly name: string
  /** User and system time of the process itself and of its children that have ended and were waited for, in seconds. */
  readonly cpuSeconds: number
  /** When it started, in ticks since boot: tells a process from a later one with the same pid. */
  readonly startTicks: number
}

/** Reads one line of /proc/<pid>/stat. The name in brackets may itself hold spaces and brackets, so fields count from its last one. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  // Field 3 of proc(5) is fields[0].
  const field = (number: number): number => Number(fields[number - 3])
  const ticks = field(14) + field(15) + field(16) + field(17)
  const stat = { pid: Number.parseInt(line, 10), parent: field(4), cpuSeconds: ticks / TICKS_PER_SECOND, startTicks: field(22) }
  if (Object.values(stat).some((value) => !Number.isFinite(value))) throw new RangeError('not a line of /proc/<pid>/stat')
  return { ...stat, name: line.slice(line.indexOf('(') + 1, line.lastIndexOf(')')) }
}

/** Proportional set size of /proc/<pid>/smaps_rollup in KiB: shared pages count by the share of the process. */
export function parsePss(text: string): number {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1]
  if (kib === undefined) throw new RangeError('no Pss in smaps_rollup')
  return Number(kib)
}

/** `roots` and all that descends from them, given everything that runs. */
export function withDescendants<Process extends Pick<ProcessStat, 'pid' | 'parent'>>(
  roots: readonly number[],
  all: readonly Process[],
): Process[] {
  const wanted = new Set(roots)
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid)
  }
  return all.filter(({ pid }) => wanted.has(pid))
}

/** The processes `roots` and their descendants that run now. */
export function processTree(roots: readonly number[]): ProcessStat[] {
  return withDescendants(roots, allProcesses())
}

/** Everything that runs now. */
export function allProcesses(): ProcessStat[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const stat = readProcess(Number(name))
    return stat === undefined ? [] : [stat]
  })
}

/** One process, or `undefined` when it has ended. */
export function readProcess(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** CPU of `roots` and their descendants so far, in seconds; resolution 10 ms a process. */
export function cpuSeconds(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, stat) => sum + stat.cpuSeconds, 0)
}

/** Memory of `roots` and their descendants in KiB (PSS). */
export function memoryKib(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, { pid }) => sum + parsePss(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')), 0)
}
