import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** `ps` lists what is there and ends; a minute would be a hang. */
const PS_LIMIT_MS = 10_000
/** Room for some ten thousand processes. */
const PS_MAX_BYTES = 4 << 20

/** One process as `ps` shows it (POSIX). */
export interface PsProcess {
  readonly pid: number
  readonly parent: number
  readonly name: string
  readonly cpuSeconds: number
  /** Resident memory, in KiB: shared pages count fully. */
  readonly residentKib: number
}

/** Seconds of `[[dd-]hh:]mm:ss[.cc]`, the form of `time` in POSIX (with hours) and on macOS (minutes and hundredths). */
export function parsePsTime(text: string): number {
  const [, days = '0', hours = '0', minutes, seconds] = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text) ?? []
  if (minutes === undefined || seconds === undefined) return Number.NaN
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
}

/** Reads what `ps -axo pid=,ppid=,rss=,time=,comm=` prints; lines of another form are passed over. */
export function parsePs(text: string): PsProcess[] {
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, resident, time = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line) ?? []
    const cpuSeconds = parsePsTime(time)
    if (pid === undefined || Number.isNaN(cpuSeconds)) return []
    const name = command.slice(command.lastIndexOf('/') + 1)
    return [{ pid: Number(pid), parent: Number(parent), name, cpuSeconds, residentKib: Number(resident) }]
  })
}

/** Everything that runs now, as `ps` tells it. Rejects where there is no such program. */
export async function askPs(): Promise<PsProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,rss=,time=,comm='], {
    timeout: PS_LIMIT_MS,
    maxBuffer: PS_MAX_BYTES,
    env: { ...process.env, LC_ALL: 'C' },
  })
  return parsePs(stdout).filter(({ name, parent }) => !(name === 'ps' && parent === process.pid))
}
