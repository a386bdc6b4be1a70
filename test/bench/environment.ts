import { spawnSync } from 'node:child_process'
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { installed } from './peers/installed.ts'

/** Under what the figures came about. */
export interface Environment {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly kernel: string
  readonly node: string
  readonly ssh: string | undefined
  readonly network: string
  /** Commit of this checkout; `+` when files differ from it. */
  readonly commit: string
  /** Load of the machine (1 minute) at the beginning. */
  readonly load: number
  readonly loops: string
}

/** Looks at the machine and the checkout at `root`. */
export function describeEnvironment(root: string, loops: string): Environment {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()} ${arch()}`,
    node: process.version,
    ssh: installed('ssh') === undefined ? undefined : say('ssh', ['-V'], root),
    network: 'loopback',
    commit: commitOf(root),
    load: loadavg()[0] ?? NaN,
    loops,
  }
}

/** Commit of a checkout, with `+` when files differ from it; `no commit` outside of one. */
export function commitOf(root: string): string {
  const commit = say('git', ['rev-parse', '--short', 'HEAD'], root)
  if (!/^[0-9a-f]+$/.test(commit)) return 'no commit'
  return `${commit}${say('git', ['status', '--porcelain', '--untracked-files=no'], root) === '' ? '' : '+'}`
}

/** What a program prints, on whichever of its outputs; `unknown` when it cannot be asked. */
function say(program: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 5000 })
  return error === undefined ? `${stdout}${stderr}`.trim() : 'unknown'
}
