import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { transpiled } from './transpiled.ts'

/** The command from the sources. Made while the file of tests is loaded: on a busy machine it takes longer than a test may. */
const sources = transpiled()

/** Longest a test waits for a line or an exit, in milliseconds. */
const PATIENCE_MS = 30_000

/** How a process ended and what it said. */
export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** One line of `--json` output. */
export type JsonLine = { readonly event: string } & Record<string, unknown>

/** A `beam` command from the sources as a process of its own, in an empty folder and with a BEAM_HOME of its own. */
export class BeamProcess implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams
  readonly lines: string[] = []
  readonly ended: Promise<Outcome>
  readonly #patienceMs: number
  #stdout = ''
  #stderr = ''
  #wake: Array<() => void> = []

  /** `start` is the file to run in place of the sources; `patienceMs` is for networks that take longer. */
  constructor(
    args: readonly string[],
    options: {
      readonly folder: string
      readonly env?: NodeJS.ProcessEnv
      readonly raw?: boolean
      readonly start?: string
      readonly patienceMs?: number
    },
  ) {
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS
    // Other tests' nodes are offered the addresses of loopback only: on a busy machine they would try the others of this machine as well.
    const env = { ...process.env, BEAM_P2P_HOST: '127.0.0.1', BEAM_HOME: join(options.folder, 'home'), ...options.env }
    this.child = spawn(process.execPath, [options.start ?? sources, ...args], { cwd: options.folder, env })
    if (options.raw !== true) {
      this.child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
      createInterface(this.child.stdout).on('line', (line) => {
        this.lines.push(line)
        this.#notify()
      })
    }
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
      this.#notify()
    })
    this.child.stdin.on('error', () => {})
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
        this.#notify()
      })
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The `--json` lines so far. */
  get events(): JsonLine[] {
    return this.lines.map((line) => JSON.parse(line) as JsonLine)
  }

  /** Waits for a `--json` line with this event (the `count`-th). */
  async event(name: string, count = 1): Promise<JsonLine> {
    return this.#until(() => this.events.filter(({ event }) => event === name)[count - 1], `event ${name}`)
  }

  /** Waits for a line on stdout that matches. */
  async line(pattern: RegExp): Promise<string> {
    return this.#until(() => this.lines.find((line) => pattern.test(line)), String(pattern))
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Outcome> {
    this.child.kill(signal)
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.ended
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  async #until<T>(find: () => T | undefined, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(this.#patienceMs)
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      const gone = this.child.exitCode !== null || this.child.signalCode !== null
      if (gone || deadline.aborted) {
        throw new Error(`no ${what} ${gone ? `before exit ${this.child.exitCode}` : 'in time'}\n${this.lines.join('\n')}\n${this.#stderr}`)
      }
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve)
        setTimeout(resolve, 200).unref()
      })
    }
  }
}

/** A folder that goes away again. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'beam-cli-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** Runs a command that ends by itself. */
export async function beam(args: readonly string[], folder: string, env?: NodeJS.ProcessEnv): Promise<Outcome> {
  await using command = new BeamProcess(args, { folder, ...(env === undefined ? {} : { env }) })
  command.child.stdin.end()
  return await command.ended
}
