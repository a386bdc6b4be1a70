import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { vi } from 'vitest'
import { beam, BeamProcess, temporaryFolder, type JsonLine, type Outcome } from '../cli/beam-process.ts'

const schema = JSON.parse(readFileSync(new URL('../../schemas/events.schema.json', import.meta.url), 'utf8')) as object
const isEvent = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

/** A far service as a local port. */
export interface Visit {
  readonly process: BeamProcess
  readonly port: number
}

/** A published service. */
export interface Publication {
  readonly process: BeamProcess
  readonly address: string
  /** Where its listener for links is on this machine. */
  readonly direct: string
}

/**
 * What a test sets up: `beam` processes with one BEAM_HOME (or several), local servers, a folder. All of it ends with the test, and every
 * `--json` line that any of the processes printed must be what schemas/events.schema.json describes.
 */
export class Scene implements AsyncDisposable {
  readonly folder: string
  readonly #undo: Array<() => unknown> = []
  readonly #talking: BeamProcess[] = []

  readonly #start: string | undefined
  readonly #patienceMs: number | undefined

  private constructor(folder: string, start: string | undefined, patienceMs: number | undefined) {
    this.folder = folder
    this.#start = start
    this.#patienceMs = patienceMs
  }

  /** With the command from the sources, or another file that is `beam`; with more patience for networks that take longer. */
  static async open(start?: string, patienceMs?: number): Promise<Scene> {
    const folder = await temporaryFolder()
    const scene = new Scene(folder.path, start, patienceMs)
    scene.#undo.push(() => folder[Symbol.asyncDispose]())
    return scene
  }

  /** Something to end after the test, before what was there already. */
  defer(step: () => unknown): void {
    this.#undo.push(step)
  }

  /** A server on a free port of 127.0.0.1 (or of another loopback address). */
  async serve(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
    await once(server.listen(port, host), 'listening')
    this.#undo.push(() => {
      if ('closeAllConnections' in server) (server as Server & { closeAllConnections(): void }).closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }

  /** The environment of another user or machine: a BEAM_HOME of its own. */
  home(name: string): NodeJS.ProcessEnv {
    return { BEAM_HOME: join(this.folder, name) }
  }

  /** A `beam` command with `--json`. */
  beam(args: readonly string[], env: NodeJS.ProcessEnv = {}): BeamProcess {
    const process = new BeamProcess([...args, '--json'], {
      folder: this.folder,
      env,
      ...(this.#start !== undefined && { start: this.#start }),
      ...(this.#patienceMs !== undefined && { patienceMs: this.#patienceMs }),
    })
    this.#talking.push(process)
    this.#undo.push(() => process[Symbol.asyncDispose]())
    return process
  }

  /** A `beam` command with `--json` that ends by itself. */
  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome & { readonly events: readonly JsonLine[] }> {
    const process = this.beam(args, env)
    process.child.stdin.end()
    return { ...(await process.ended), events: process.events }
  }

  /** What `beam key show` prints there. */
  async visitorKey(env: NodeJS.ProcessEnv): Promise<string> {
    return (await beam(['key', 'show'], this.folder, env)).stdout.trim()
  }

  /** Publishes one service and waits until it is ready. */
  async publish(target: number | string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Publication> {
    const process = this.beam([String(target), ...flags], env)
    const address = addressOf(await process.event('ready'))
    // It is ready when the first source of discovery has it: that need not be the registry.
    const port = await vi.waitFor(
      () => {
        const [found] = this.listenersOf(process, env)
        if (found === undefined) throw new Error('not in the registry')
        return found
      },
      { timeout: 10_000 },
    )
    return { process, address, direct: `${address}@127.0.0.1:${port}` }
  }

  /** Connects to an address and waits until the local port listens. */
  async visit(address: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Visit> {
    const process = this.beam(['connect', address, ...flags], env)
    const { port } = (await process.event('listening')) as unknown as { readonly port: number }
    return { process, port }
  }

  /** Ports for links that a publisher has entered in its user's registry. */
  listenersOf(process: BeamProcess, env: NodeJS.ProcessEnv = {}): number[] {
    const services = join(env['BEAM_HOME'] ?? join(this.folder, 'home'), 'run', 'services')
    return readdirSync(services)
      .filter((name) => name.includes(`.${process.child.pid}.`) && name.endsWith('.json'))
      .map((name) => (JSON.parse(readFileSync(join(services, name), 'utf8')) as { readonly port: number }).port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#undo.reverse()) await step()
    for (const process of this.#talking) {
      for (const event of process.events) {
        if (!isEvent(event)) throw new Error(`not what the schema says: ${JSON.stringify(event)}: ${JSON.stringify(isEvent.errors)}`)
      }
    }
  }
}

/** The first address in a `ready` event. */
export function addressOf(ready: JsonLine): string {
  return (ready['tunnel'] as { readonly endpoints: readonly { readonly address: string }[] }).endpoints[0]?.address ?? ''
}

/** A port of 127.0.0.1 that nobody listens on (any more). */
export async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Memory of a process in MiB (Linux); undefined elsewhere. */
export function residentMiB(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux') return undefined
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) / 1024
}

/** Everything below a folder that is a file, a socket or anything else than a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
