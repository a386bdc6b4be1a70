import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findProcesses } from '../../../cli/daemon/find-processes.ts'
import type { ProcessTunnels, TunnelRecord } from '../../../cli/daemon/protocol.ts'
import { faultOf, type Definition } from '../../../cli/daemon/validate.ts'
import { beamPaths } from '../../../config/paths.ts'
import type { BeamPaths } from '../../../core/paths.ts'
import { beam, BeamProcess, temporaryFolder, type JsonLine, type Outcome } from '../beam-process.ts'

/** A BEAM_HOME of its own, in which a daemon may run; it is ended with the test. */
export class Home implements AsyncDisposable {
  readonly path: string
  readonly #folder: AsyncDisposable

  private constructor(folder: { readonly path: string } & AsyncDisposable) {
    this.path = folder.path
    this.#folder = folder
  }

  static async make(): Promise<Home> {
    return new Home(await temporaryFolder())
  }

  get paths(): BeamPaths {
    return beamPaths({ BEAM_HOME: join(this.path, 'home') })
  }

  /** The folder of the control sockets. */
  get sockets(): string {
    return join(this.paths.runtime, 'control')
  }

  run(...args: string[]): Promise<Outcome> {
    return beam(args, this.path)
  }

  start(...args: string[]): BeamProcess {
    return new BeamProcess(args, { folder: this.path })
  }

  /** Runs a command that prints one JSON document, and checks it. */
  async json<T>(definition: Definition, ...args: string[]): Promise<T> {
    const { stdout, stderr, code } = await this.run(...args, '--json')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const value: unknown = JSON.parse(stdout)
    assert.equal(faultOf(definition, value), undefined)
    return value as T
  }

  /** What runs, asked without a command. */
  async list(): Promise<readonly ProcessTunnels[]> {
    const { processes, silent } = await findProcesses(this.paths)
    assert.deepEqual(silent, [])
    return processes
  }

  async tunnels(): Promise<readonly TunnelRecord[]> {
    return (await this.list()).flatMap(({ tunnels }) => tunnels)
  }

  /** Starts the daemon; returns its process id. */
  async startDaemon(): Promise<number> {
    const { process } = await this.json<{ process: { pid: number } }>('answers#/$defs/daemon', 'daemon', 'start')
    return process.pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const daemon = (await findProcesses(this.paths)).processes.find(({ process: { role } }) => role === 'daemon')
    if (daemon !== undefined) await crash(daemon.process.pid)
    await this.#folder[Symbol.asyncDispose]()
  }
}

/** An HTTP service on loopback that says hello. */
export async function service(): Promise<{ readonly port: number } & Disposable> {
  const server = createHttpServer((request, response) => response.end(`hello ${request.url}`))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** The first address of a `ready` event. */
export function addressOf(ready: JsonLine): string {
  return (ready['tunnel'] as { endpoints: { address: string }[] }).endpoints[0]?.address ?? ''
}

/** Ends a process at once, as a crash would. */
export async function crash(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  for (let waited = 0; isAlive(pid) && waited < 5_000; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(!isAlive(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
