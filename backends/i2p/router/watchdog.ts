import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a program that ends when this process does, however that happens. Its standard input is a pipe whose other end this process holds: when
 * the system closes that (kill -9 included), `read` returns and the program is killed. A shell does it on Linux and macOS alike,
 * with the megabyte that it takes; PR_SET_PDEATHSIG is Linux's alone and cannot be set from Node. The shell is in a session of
 * its own, so that Ctrl-C in a terminal reaches Beam only, which then ends the program in order.
 */
const SCRIPT = `exec 3<&0
"$@" 3<&- </dev/null >/dev/null 2>&1 &
child=$!
echo "$child"
{ read -r _ <&3; kill -9 "$child"; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$child"
code=$?
kill "$watch" 2>/dev/null
exit "$code"`

/** How long a program that was asked to end may take before it is killed. The host gives a backend two seconds for everything. */
const STOP_MS = 1_300

/** A program under watch. */
export class WatchedProcess {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  readonly #shell: ChildProcess
  #pid: number | undefined

  constructor(program: string, args: readonly string[], cwd: string) {
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'beam-watchdog', program, ...args], {
      cwd,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    this.#shell.stdin?.on('error', () => {})
    this.#shell.stdout?.on('data', (chunk: Buffer) => (this.#pid ??= Number(chunk.toString().trim()) || undefined))
    this.ended = Promise.race([once(this.#shell, 'exit'), once(this.#shell, 'error')]).then(
      () => undefined,
      () => undefined,
    )
  }

  /** Of the program, not of its watch; undefined in the first moments. */
  get pid(): number | undefined {
    return this.#pid
  }

  get running(): boolean {
    return this.#shell.exitCode === null && this.#shell.signalCode === null && this.#shell.pid !== undefined
  }

  /** Asks it to end, and kills it when it does not. */
  async stop(): Promise<void> {
    const pid = this.#pid
    if (this.running && pid !== undefined) {
      signal(pid, 'SIGTERM')
      // Closing the pipe makes the watch kill it.
      const timer = setTimeout(() => this.#shell.stdin?.destroy(), STOP_MS)
      await this.ended
      clearTimeout(timer)
    }
    this.#shell.stdin?.destroy()
    this.#shell.stdout?.destroy()
    await this.ended
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended in between.
  }
}
