import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { processTree, readProcess } from '../../plugins/benchmark/proc.ts'

/** How long a process may take to say that it is ready, in milliseconds. */
const READY_MS = 20_000
/** How long it may take to end after SIGTERM before SIGKILL follows. */
const STOP_MS = 3000
/** Output kept of one process, for the message when it fails. */
const MAX_OUTPUT = 64 << 10

/** A process that the bench started. */
export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  /** The first match of `pattern` in what it prints, or an error when it ends or nothing comes in time. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>
}

/** Environment of every process: nothing of the user's own, so that no agent, key or configuration of theirs takes part. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, HOME: home, LANG: 'C', NO_COLOR: '1' }
}

/** Processes that end together. */
export class Children {
  readonly #children: ChildProcess[] = []

  /** Starts a program; an error when it cannot be started. */
  async start(program: string, args: readonly string[], env: NodeJS.ProcessEnv, ipc = false): Promise<Child> {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])] })
    this.#children.push(child)
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT)
      child.emit('output')
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('exit', () => child.emit('output'))
    await once(child, 'spawn')
    return { pid: child.pid!, process: child, waitFor: (pattern) => waitFor(child, () => output, pattern) }
  }

  /** Ends all of them and what they started, last first; returns when none runs any more. */
  async stop(): Promise<void> {
    const roots = this.#children.splice(0).reverse()
    const pids = roots.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
    // A session of sshd outlives its listener, so the whole tree is remembered before the first one ends.
    const tree = processTree(pids.filter((pid) => readProcess(pid)?.parent === process.pid))
    for (const child of roots) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    const alive = (): typeof tree => tree.filter(({ pid, startTicks }) => readProcess(pid)?.startTicks === startTicks)
    for (const deadline = Date.now() + STOP_MS; alive().length > 0 && Date.now() < deadline;) await delay(20)
    for (const { pid } of alive()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended in between.
      }
    }
  }
}

async function waitFor(child: ChildProcess, output: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  const timeout = AbortSignal.timeout(READY_MS)
  for (;;) {
    const match = pattern.exec(output())
    if (match !== null) return match
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${child.spawnfile} ended: ${output().slice(-500).trim()}`)
    try {
      await once(child, 'output', { signal: timeout })
    } catch {
      throw new Error(`${child.spawnfile} did not print ${pattern} within ${READY_MS} ms: ${output().slice(-500).trim()}`)
    }
  }
}
