import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/**
 * Reads the daemons' ids until the end of its input, which comes when this process ends, however it ends; then ends those that still are what
 * they were and removes their folder. A daemon's own pid file comes after its ports, too late for one that has just started.
 */
const SCRIPT = `
trap '' INT TERM HUP
for pid in $(cat); do
  { cat "/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2> /dev/null | grep -aqF -- "$1" && kill -9 "$pid"
done
for attempt in 1 2 3 4 5; do
  rm -rf -- "$1" 2> /dev/null && break
  sleep 0.2
done`

/** Sees to it that nothing of a folder and of its daemons is left when this process is killed. */
export class Undertaker {
  readonly #input: Writable & { unref(): void }

  constructor(folder: string) {
    // A group of its own: what is sent to the terminal's or the runner's group does not reach it.
    const child = spawn('sh', ['-c', SCRIPT, 'sh', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    child.on('error', () => {})
    child.unref()
    // The other end is closed by the system. Unreferenced, so that it does not keep this process alive.
    this.#input = child.stdin as Writable & { unref(): void }
    this.#input.on('error', () => {})
    this.#input.unref()
  }

  /** Names a daemon whose arguments name the folder. */
  tell(pid: number | undefined): void {
    if (pid !== undefined) this.#input.write(`${pid}\n`)
  }
}
