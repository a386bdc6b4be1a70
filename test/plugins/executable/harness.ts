import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLogger, systemClock, type BeamPaths, type Clock, type LogFields, type Logger } from '../../../core/index.ts'
import { ExecutableBackend, type ExecutableOptions } from '../../../plugins/executable/index.ts'

const unruly = fileURLToPath(new URL('unruly.mjs', import.meta.url))

/** A folder of a test's own, and what is made in it. */
export class Workshop implements AsyncDisposable {
  readonly paths: BeamPaths
  /** What was logged, one text each. */
  readonly log: string[] = []
  readonly #notes: string
  readonly #made: ExecutableBackend[] = []

  private constructor(folder: string) {
    this.paths = { config: folder, data: join(folder, 'data'), state: join(folder, 'state'), runtime: folder }
    this.#notes = join(folder, 'notes')
  }

  static async open(): Promise<Workshop> {
    return new Workshop(await mkdtemp(join(tmpdir(), 'beam-exe-')))
  }

  /** What the executable noted of its own life, one text each. */
  async notes(): Promise<readonly string[]> {
    return (await readFile(this.#notes, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')
  }

  /** A backend whose executable breaks one rule. */
  make(mode: string, options: Partial<ExecutableOptions> = {}, clock: Clock = systemClock): ExecutableBackend {
    const backend = new ExecutableBackend(
      { name: 'unruly', command: [process.execPath, unruly, mode, this.#notes], ...options },
      { logger: this.#logger(), clock, paths: this.paths },
    )
    this.#made.push(backend)
    return backend
  }

  #logger(): Logger {
    const write = (message: string, fields?: LogFields): void => void this.log.push(`${message} ${JSON.stringify(fields ?? {})}`)
    const logger: Logger = { ...silentLogger, error: write, warn: write, info: write, child: () => logger }
    return logger
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const backend of this.#made) await backend[Symbol.asyncDispose]()
    await rm(this.paths.config, { recursive: true, force: true })
  }
}

/** Whether a process exists. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
