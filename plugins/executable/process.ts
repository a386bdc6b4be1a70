import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { sleep, type Clock, type Logger } from '../../core/index.ts'
import {
  EXIT_GRACE_MS,
  MAX_LOG_LINES_PER_WINDOW,
  MAX_STDERR_BYTES_PER_WINDOW,
  MAX_STDERR_LINE_BYTES,
  MAX_UNREAD_BYTES,
  RATE_WINDOW_MS,
  TERM_GRACE_MS,
} from './limits.ts'
import { RateWindow } from './rate.ts'

/** Windows has no process groups: there the whole tree is ended by `taskkill`. */
const WINDOWS = process.platform === 'win32'

/** What is run, and where its output goes. */
export interface ProcessOptions {
  readonly command: readonly string[]
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly onOutput: (chunk: Buffer) => void
  /** Told once, when the process has ended or could not be started. */
  readonly onExit: (reason: string) => void
}

/**
 * One run of an executable, in a process group of its own. Its standard input stays open while Beam wants it: when Beam dies, however,
 * the pipe closes, and an executable that keeps the rules ends itself.
 */
export class ExecutableProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stderrRate: RateWindow
  readonly #stderrBytes: RateWindow
  readonly #exited: Promise<void>
  #running = true
  #stderrTail = Buffer.alloc(0)

  /** Starts the process. A command that does not exist is told through `onExit`. */
  constructor(options: ProcessOptions) {
    const [file = '', ...args] = options.command
    this.#clock = options.clock
    this.#logger = options.logger
    this.#stderrRate = new RateWindow(MAX_LOG_LINES_PER_WINDOW, RATE_WINDOW_MS, options.clock)
    this.#stderrBytes = new RateWindow(MAX_STDERR_BYTES_PER_WINDOW, RATE_WINDOW_MS, options.clock)
    this.#child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: !WINDOWS,
      windowsHide: true,
    })
    const killAtExit = (): void => this.#signalGroup('SIGKILL')
    process.once('exit', killAtExit)
    this.#exited = new Promise((resolve) => {
      const ended = (reason: string): void => {
        if (!this.#running) return
        this.#running = false
        process.removeListener('exit', killAtExit)
        // Whatever the executable started belongs to its group and ends with it.
        this.#signalGroup('SIGKILL')
        for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy()
        options.onExit(reason)
        resolve()
      }
      this.#child.once('error', (error) => {
        if (this.#child.pid === undefined) ended(startProblem(file, error))
      })
      this.#child.once('exit', (code, signal) => ended(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`))
    })
    this.#child.stdout.on('data', (chunk: Buffer) => options.onOutput(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => this.#takeStderr(chunk))
    // A pipe to a process that has just ended: the exit tells of it.
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.on('error', () => {})
    this.#child.stderr.on('error', () => {})
  }

  /** Process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Writes to its standard input. False when it does not read any more what it is sent. */
  write(line: string): boolean {
    if (!this.#running || !this.#child.stdin.writable) return true
    this.#child.stdin.write(line)
    return this.#child.stdin.writableLength <= MAX_UNREAD_BYTES
  }

  /** Ends it: closes its standard input, then SIGTERM, then SIGKILL to the group. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.#running) return
    this.#child.stdin.end()
    if (await this.#goneWithin(EXIT_GRACE_MS)) return
    this.#signalGroup('SIGTERM')
    if (await this.#goneWithin(TERM_GRACE_MS)) return
    this.#logger.warn('the executable ignored the end of its standard input and SIGTERM')
    await this.kill()
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#signalGroup('SIGKILL')
    await this.#exited
  }

  async #goneWithin(ms: number): Promise<boolean> {
    const waited = new AbortController()
    const timer = sleep(ms, { clock: this.#clock, signal: waited.signal }).catch(() => {})
    await Promise.race([this.#exited, timer])
    waited.abort()
    return !this.#running
  }

  #signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child
    if (pid === undefined) return
    if (WINDOWS) {
      if (this.#running)
        spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { windowsHide: true, stdio: 'ignore' }).once('error', () => this.#child.kill())
      return
    }
    try {
      process.kill(-pid, signal)
    } catch {
      // No member of the group is left.
    }
  }

  /** Passes whole lines on as log lines; what is too long is cut, what is too much is counted. */
  #takeStderr(chunk: Buffer): void {
    // A flood waits in the pipe, and so slows its writer down instead of this process.
    if (!this.#stderrBytes.allows(chunk.length)) {
      this.#child.stderr.pause()
      this.#clock.after(RATE_WINDOW_MS, () => this.#child.stderr.resume(), { unref: true })
    }
    let rest = chunk
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      this.#logStderr(Buffer.concat([this.#stderrTail, rest.subarray(0, Math.min(end, MAX_STDERR_LINE_BYTES))]))
      this.#stderrTail = Buffer.alloc(0)
      rest = rest.subarray(end + 1)
    }
    this.#stderrTail = Buffer.concat([this.#stderrTail, rest.subarray(0, MAX_STDERR_LINE_BYTES)]).subarray(0, MAX_STDERR_LINE_BYTES)
  }

  #logStderr(line: Buffer): void {
    if (!this.#stderrRate.allows()) return
    const dropped = this.#stderrRate.takeRefused()
    if (dropped > 0) this.#logger.warn('lines of the executable’s standard error were dropped', { dropped })
    const text = line.subarray(0, MAX_STDERR_LINE_BYTES).toString('utf8').trimEnd()
    if (text !== '') this.#logger.info('the executable wrote to standard error', { line: text })
  }
}

function startProblem(file: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `“${file}” was not found`
  if (error.code === 'EACCES') return `“${file}” is not executable`
  return `“${file}” could not be started (${error.code ?? error.message})`
}
