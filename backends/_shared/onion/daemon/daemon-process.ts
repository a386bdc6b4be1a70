import { spawn, type ChildProcess } from 'node:child_process'
import { BackendUnavailableError, sleep, type Clock, type Logger } from '../../../../core/index.ts'

/** What a daemon gets between the end of its owner's connection and SIGTERM, and between SIGTERM and SIGKILL: Beam has two seconds in all. */
const EXIT_GRACE_MS = 700
const TERM_GRACE_MS = 500
/** Longest line of the daemon's log that is looked at. */
const MAX_LINE = 2_000
/** Its last warnings, which say why it ended. */
const MAX_WARNINGS = 5
/** Lines of warnings that are passed on to our log in one minute; a daemon in trouble repeats itself. */
const MAX_LOGGED_PER_MINUTE = 30

/** How a daemon is started. */
export interface ProcessSetup {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly clock: Clock
  readonly logger: Logger
}

/** One run of a daemon that belongs to us. */
export class DaemonProcess {
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<Error>
  readonly #child: ChildProcess
  readonly #setup: ProcessSetup
  #reason: Error | undefined
  #warnings: string[] = []
  #partial = ''
  #logged = 0
  #loggedSince = 0

  constructor(setup: ProcessSetup) {
    this.#setup = setup
    const { file, args, cwd } = setup
    this.#child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    // The connection that owns it closes with this process; this is for an exit in the first moments, before that connection is there.
    const killAtExit = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', killAtExit)
    this.ended = new Promise((resolve) => {
      const end = (reason: Error): void => {
        if (this.#reason !== undefined) return
        this.#reason = reason
        process.removeListener('exit', killAtExit)
        resolve(reason)
      }
      this.#child.once('error', (cause) => end(failed(`${file} could not be started: ${cause.message}`, cause)))
      // 'close' comes after the last line of its log, 'exit' before.
      this.#child.once('close', (code, signal) => end(this.#endedBy(code, signal)))
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#read(text))
      stream?.on('error', () => {})
    }
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Why it ended; undefined while it runs. */
  get reason(): Error | undefined {
    return this.#reason
  }

  /** Waits for it to end by itself, then SIGTERM, then SIGKILL. Resolves when it is gone, within two seconds. */
  async stop(): Promise<void> {
    if (await this.#goneWithin(EXIT_GRACE_MS)) return
    this.#child.kill('SIGTERM')
    if (await this.#goneWithin(TERM_GRACE_MS)) return
    await this.kill()
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  async #goneWithin(ms: number): Promise<boolean> {
    const waited = new AbortController()
    await Promise.race([this.ended, sleep(ms, { clock: this.#setup.clock, signal: waited.signal }).catch(() => {})])
    waited.abort()
    return this.#reason !== undefined
  }

  #endedBy(code: number | null, signal: NodeJS.Signals | null): Error {
    if (signal !== null) return failed(`The daemon was ended by ${signal}.`)
    if (code === 0) return failed('The daemon ended.')
    const said = this.#warnings.length === 0 ? '' : ` It said: ${this.#warnings.join(' / ')}`
    return failed(`The daemon ended with exit code ${code ?? 'unknown'}.${said}`)
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split('\n')
    this.#partial = (lines.pop() ?? '').slice(0, MAX_LINE)
    for (const line of lines) this.#line(line.slice(0, MAX_LINE).trimEnd())
  }

  #line(line: string): void {
    const [, level, said] = /\[(warn|err)\] (.*)$/.exec(line) ?? []
    if (level === undefined || said === undefined || IDLE_TALK.test(said)) return
    this.#warnings = [...this.#warnings, said].slice(-MAX_WARNINGS)
    const now = this.#setup.clock.monotonic()
    if (now - this.#loggedSince > 60_000) {
      this.#loggedSince = now
      this.#logged = 0
    }
    this.#logged += 1
    if (this.#logged <= MAX_LOGGED_PER_MINUTE) this.#setup.logger.debug('the daemon warned', { line: said })
  }
}

/** Warnings that say nothing about a failure. */
const IDLE_TALK = /^You are running \w+ as root|^You have used DirAuthority|^TestingTorNetwork is set/

function failed(message: string, cause?: Error): BackendUnavailableError {
  return new BackendUnavailableError(message, { code: 'BEAM_ERR_PROGRAM_FAILED', ...(cause === undefined ? {} : { cause }) })
}
