import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PROMPT_LOOPBACK } from '../helpers/prompt-loopback.ts'
import { requireNamespaces } from './requirements.ts'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from 'vitest/node'

/** Test files that run in a network namespace of their own: what they start has a loopback for itself and no way out. */
export const NAMESPACED = ['test/live/{tor,ator,together}/**/*.test.ts']

/** A worker that is still there this long after SIGTERM gets SIGKILL. */
const STOP_MS = 5000
/** What a test started may end by itself for so long after the worker. */
const TIDY_MS = 2000

const SET_UP = ['ip link set lo up', ...PROMPT_LOOPBACK]

/**
 * Program and first arguments that run what follows in such a namespace; none, after having said why, where that is not possible. Then
 * everything runs on the loopback of this machine, more slowly.
 */
export function intoNamespace(): readonly string[] {
  const unshare = requireNamespaces()
  if (unshare === undefined) return []
  const into = [...unshare, 'sh', '-c', `${['set -e', ...SET_UP].join('\n')}\nexec "$@"`, 'sh']
  const [program = '', ...args] = into
  if (spawnSync(program, [...args, 'true']).status === 0) return into
  process.stderr.write('not run here: loopback without delayed acknowledgements: the kernel refuses the route\n')
  return [...unshare, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
}

/** The pool of vitest for {@link NAMESPACED}. */
export const namespacedPool: PoolRunnerInitializer = {
  name: 'namespaced',
  createPoolWorker: (options) => new NamespacedWorker(options),
}

/** vitest's worker process, started in a namespace. The channel between them is inherited, and the process keeps its pid. */
class NamespacedWorker implements PoolWorker {
  readonly name = 'namespaced'
  readonly cacheFs = true
  readonly #options: PoolOptions
  #child: ChildProcess | undefined
  /** The worker's namespace, when it has one of its own. */
  #namespace: string | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  start(): Promise<void> {
    const { distPath, env, execArgv, project } = this.#options
    const [execPath = process.execPath, ...args] = [...intoNamespace(), process.execPath]
    this.#child = fork(join(distPath, 'workers/forks.js'), [], {
      env: env as NodeJS.ProcessEnv,
      execPath,
      execArgv: [...args, ...execArgv],
      stdio: 'pipe',
      serialization: 'advanced',
    })
    // The first message comes from within.
    this.#child.once('message', () => (this.#namespace = namespaceOf(this.#child?.pid)))
    const { outputStream, errorStream } = project.vitest.logger
    this.#child.stdout?.on('data', (chunk: Buffer) => outputStream.write(chunk))
    this.#child.stderr?.on('data', (chunk: Buffer) => errorStream.write(chunk))
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      child.kill()
      await exited
      clearTimeout(timer)
    }
    // A test that ran out of time leaves what it started. Nobody else's processes are in there; the network's own way to end needs a moment.
    if (this.#namespace === undefined || this.#namespace === namespaceOf(process.pid)) return
    for (const deadline = Date.now() + TIDY_MS; this.#left().length > 0 && Date.now() < deadline;) await delay(50)
    for (const pid of this.#left()) killed(pid)
  }

  #left(): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && namespaceOf(pid) === this.#namespace)
  }

  on(event: string, callback: (message: unknown) => void): void {
    this.#child?.on(event, callback)
  }

  off(event: string, callback: (message: unknown) => void): void {
    this.#child?.off(event, callback)
  }

  send(message: WorkerRequest): void {
    this.#child?.send(message)
  }

  deserialize(data: unknown): unknown {
    return data
  }
}

/** The network namespace of a process that is ours; undefined when it has ended, or is somebody else's. */
function namespaceOf(pid: number | undefined): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended in between.
  }
}
