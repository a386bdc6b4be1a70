import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Control } from './control.ts'
import type { Flavor } from './flavor.ts'

/** A daemon that has no control port after this time has said why in its output. */
const START_MS = 20_000
/** Output kept of one daemon, for the message when it fails. */
const MAX_OUTPUT = 64 << 10

/** A folder that only its owner may enter: tor insists on it. */
export function privateFolder(...path: readonly string[]): string {
  const folder = join(...path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  return folder
}

/** One tor or anon process that the tests configured by hand. */
export class Daemon {
  readonly name: string
  readonly folder: string
  readonly child: ChildProcess
  readonly exited: Promise<void>
  #output = ''
  #control: Promise<Control> | undefined

  constructor(flavor: Flavor, name: string, folder: string, lines: readonly string[]) {
    this.name = name
    this.folder = privateFolder(folder)
    const file = join(folder, 'torrc')
    // A folder may be used again, and the port of the daemon before would be taken for this one's.
    rmSync(join(folder, 'control-port'), { force: true })
    writeFileSync(file, `${lines.join('\n')}\n`)
    this.child = spawn(flavor.binary, ['-f', file, `--defaults-${flavor.rc}`, '/dev/null', '--hush'], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-MAX_OUTPUT)))
    }
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.#output += error.message
        resolve()
      })
      this.child.once('exit', () => resolve())
    })
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** Port of its control listener. */
  async controlPort(): Promise<number> {
    for (const deadline = Date.now() + START_MS; this.running && Date.now() < deadline; await delay(10)) {
      const port = /:(\d+)/.exec(read(join(this.folder, 'control-port')))?.[1]
      if (port !== undefined) return Number(port)
    }
    throw new Error(`${this.name} has no control port\n${this.#output}${read(join(this.folder, 'tor.log'))}`)
  }

  /** An authenticated control connection, one for all callers. */
  control(): Promise<Control> {
    return (this.#control ??= this.controlPort().then((port) => Control.connect(port)))
  }

  /** SIGKILL: a relay that has just started may hang for ever after SIGTERM. */
  async stop(): Promise<void> {
    if (this.running) this.child.kill('SIGKILL')
    await this.exited
    await this.#control?.then((control) => control.close()).catch(() => {})
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
